//! Opens the report in a browser and uses it as a reader does: with a light and a dark theme, without a network. Needs Chromium; without it
//! the tests are skipped, with a message.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use support::{TAKES_PART, cspec, package, status, stderr};

const COUNTER: &str = include_str!("counter/lib.rs");

/// The path of Chromium, if it is installed.
fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let found = names.iter().flat_map(|name| folders.iter().map(move |it| it.join(name))).find(|it| it.is_file());
    if found.is_none() {
        support::skipped("Chromium is not installed");
    }
    found
}

/// Runs Chromium on a page, without a network and without files in the home folder.
fn browse(chromium: &Path, page: &Path, arguments: &[&str]) -> String {
    let profile = page.with_extension("profile");
    let output = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--force-device-scale-factor=1"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const LIGHT: &str = "--blink-settings=preferredColorScheme=1";
const DARK: &str = "--blink-settings=preferredColorScheme=0";

/// The report on a counter with two mistakes: a false claim, and a call that the protocol forbids.
fn report(folder: &Path) -> String {
    let output = cspec(folder, &["report", "-q", "-o", "report.html"]);
    assert_eq!(status(&output), Some(1), "{}", stderr(&output));
    fs::read_to_string(folder.join("report.html")).expect("the report is written")
}

fn mistaken() -> support::Folder {
    let text = COUNTER.replacen("#[op]\n    fn write", "#[op(right)]\n    fn write", 1).replacen(
        "lo.acquire();\n        let seen = lo.read();",
        "let seen = lo.read();\n        lo.acquire();",
        1,
    );
    package("counter", TAKES_PART, text)
}

/// The actions of a reader, as a script that writes its observations into the page.
const READER: &str = r#"
<script>
const found = [];
const press = (target, key) => target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
const luminance = colour => {
  const [r, g, b] = colour.match(/[\d.]+/g).map(Number).map(it => it / 255).map(it => it <= .03928 ? it / 12.92 : ((it + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const ground = it => {
  for (; it; it = it.parentElement) {
    const colour = getComputedStyle(it).backgroundColor;
    if (!/rgba\(.*, 0\)|transparent/.test(colour) && !/color\(/.test(colour)) return colour;
  }
  return 'rgb(255, 255, 255)';
};
addEventListener('load', () => {
  const table = document.querySelector('.matrix');
  const cells = [...table.querySelectorAll('.cell')];
  found.push(['cells', cells.length], ['stops', cells.filter(it => it.tabIndex === 0).length]);
  cells[0].focus();
  press(document.activeElement, 'ArrowRight');
  press(document.activeElement, 'ArrowDown');
  found.push(['moved to', document.activeElement.dataset.words]);
  found.push(['told', table.closest('details').querySelector('.told').textContent.trim()]);
  press(document.activeElement, 'Home');
  found.push(['home', document.activeElement.closest('td').cellIndex]);
  const link = document.querySelector('.list a');
  if (link) { location.hash = link.hash; }
  setTimeout(() => {
    found.push(['unfolded', !link || document.querySelector(link.hash).closest('details').open]);
    found.push(['fetched', performance.getEntriesByType('resource').length]);
    found.push(['dark', matchMedia('(prefers-color-scheme: dark)').matches]);
    document.querySelectorAll('details').forEach(it => { it.open = true; });
    const weak = new Set();
    for (const it of document.querySelectorAll('body *')) {
      const text = [...it.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
      if (!text || it.closest('svg, script, style') || !it.offsetParent) continue;
      const [a, b] = [luminance(getComputedStyle(it).color), luminance(ground(it))].sort((a, b) => b - a);
      if ((a + .05) / (b + .05) < 4.5) weak.add(`${it.tagName}.${it.className}`);
    }
    found.push(['weak', [...weak].join(' ')]);
    found.push(['overflow', document.documentElement.scrollWidth > innerWidth]);
    const told = document.createElement('pre');
    told.id = 'found';
    told.textContent = found.map(it => it.join('=')).join('\n');
    document.body.append(told);
  }, 100);
});
</script>
"#;

/// The observations of that script.
fn found(chromium: &Path, folder: &Path, report: &str, arguments: &[&str]) -> Vec<String> {
    let page = folder.join("read.html");
    fs::write(&page, report.replace("</body>", &format!("{READER}</body>"))).expect("a page can be written");
    let dom = browse(chromium, &page, &[&["--dump-dom", "--window-size=1200,900"], arguments].concat());
    let found = dom.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    found.unwrap_or_else(|| panic!("the reader did not come to an end: {dom}")).0.lines().map(str::to_owned).collect()
}

#[test]
fn a_reader_needs_no_mouse_no_network_and_good_eyes_neither() {
    let Some(chromium) = chromium() else { return };
    let folder = mistaken();
    let report = report(&folder);
    for (scheme, is_dark) in [(LIGHT, false), (DARK, true)] {
        let found = found(&chromium, &folder, &report, &[scheme]);
        let expected = [
            "cells=16".to_owned(),
            "stops=1".to_owned(),
            "moved to=`release` moves past `release` in both directions.".to_owned(),
            "told=`release` moves past `release` in both directions.".to_owned(),
            "home=1".to_owned(),
            "unfolded=true".to_owned(),
            "fetched=0".to_owned(),
            format!("dark={is_dark}"),
            "weak=".to_owned(),
            "overflow=false".to_owned(),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn it_fits_on_a_small_screen() {
    let Some(chromium) = chromium() else { return };
    let folder = mistaken();
    let found = found(&chromium, &folder, &report(&folder), &["--window-size=500,900"]);
    assert!(found.contains(&"overflow=false".to_owned()), "{found:?}");
}

/// The pictures in the documentation: the findings in the light theme, and a report without findings in the dark one. `UPDATE_EXPECT=1`
/// makes them again. Other versions of the browser draw other pixels, so the test only checks that it draws.
#[test]
fn it_is_drawn_in_light_and_dark() {
    let Some(chromium) = chromium() else { return };
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    let right = package("counter", TAKES_PART, COUNTER);
    for (name, scheme, folder, size) in [
        ("report-light.png", LIGHT, mistaken(), "--window-size=1200,1770"),
        ("report-dark.png", DARK, right, "--window-size=1200,1505"),
    ] {
        let output = cspec(&folder, &["report", "-q", "-o", "report.html"]);
        assert!(matches!(status(&output), Some(0 | 1)), "{}", stderr(&output));
        let picture = folder.join(name);
        browse(&chromium, &folder.join("report.html"), &[&format!("--screenshot={}", picture.display()), size, scheme]);
        let drawn = fs::read(&picture).expect("a picture is made");
        assert!(drawn.starts_with(b"\x89PNG") && drawn.len() > 20_000, "{} bytes", drawn.len());
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(images.join(name), drawn).expect("the picture can be kept");
        }
    }
}
