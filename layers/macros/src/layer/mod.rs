//! `#[layer]`. `parse` reads the declaration and rejects invalid ones; `expand` generates its native meaning.

use proc_macro2::TokenStream;
use syn::{Result, parse2};

mod expand;
mod parse;

pub use parse::operation;

pub fn layer(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let args = parse2(args)?;
    let layer = parse::declaration(args, parse2(item)?)?;
    Ok(expand::expand(&layer))
}
