// A page that is read without this loses nothing but the arrow keys and what a click on a cell tells.
for (const table of document.querySelectorAll('.matrix')) {
  const told = table.closest('details').querySelector('.told');
  const cells = [...table.querySelectorAll('.cell')];
  // One stop of the tab key for each matrix; the arrow keys do the rest.
  cells.forEach((cell, at) => { cell.tabIndex = at === 0 ? 0 : -1; });
  const choose = cell => {
    cells.forEach(it => { it.tabIndex = it === cell ? 0 : -1; it.setAttribute('aria-pressed', it === cell); });
    told.textContent = cell.dataset.words + ' ';
    if (cell.dataset.see) {
      const link = document.createElement('a');
      link.href = '#' + cell.dataset.see;
      link.textContent = cell.dataset.verdict;
      told.append(link);
    }
  };
  table.addEventListener('focusin', event => { if (event.target.matches('.cell')) choose(event.target); });
  table.addEventListener('click', event => { if (event.target.matches('.cell')) { event.target.focus(); choose(event.target); } });
  table.addEventListener('keydown', event => {
    const cell = event.target.closest('td');
    if (!cell) return;
    const row = cell.parentElement;
    const to = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const ends = { Home: row.cells[1], End: row.cells[row.cells.length - 1] };
    const next = to ? table.rows[row.rowIndex + to[0]]?.cells[cell.cellIndex + to[1]] : ends[event.key];
    const button = next?.querySelector('.cell');
    if (button) { button.focus(); event.preventDefault(); }
  });
}
// What an address leads to is shown, even inside something that is folded.
const unfold = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let it = target; it; it = it.parentElement) if (it.matches('details')) it.open = true;
  target?.scrollIntoView({ block: 'center' });
};
addEventListener('hashchange', unfold);
unfold();
