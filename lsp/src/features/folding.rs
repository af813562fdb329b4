//! Folding: layers and implementations, each with its attribute.

use cspec_analysis::{index::ImplRole, syntax};
use tower_lsp_server::ls_types::{FoldingRange, Uri};

use super::Spot;
use crate::session::Session;

/// The folding ranges of a document.
pub fn folding(session: &mut Session, uri: &Uri) -> Option<Vec<FoldingRange>> {
    let spot = Spot::of_document(session, uri)?;
    let declarations = syntax::declarations(&spot.file.parse.root());
    let blocks = spot.file.indexed.index.impls.iter().filter(|it| !matches!(it.role, ImplRole::Plain));
    let fold = |declaration: u32| {
        let range = syntax::text_range(declarations.get(declaration as usize)?);
        let text = &spot.file.text;
        let (start_line, end_line) = (text.line_of(range.start), text.line_of(range.end));
        (start_line < end_line).then(|| FoldingRange { start_line, end_line, ..FoldingRange::default() })
    };
    Some(blocks.filter_map(|it| fold(it.declaration)).collect())
}
