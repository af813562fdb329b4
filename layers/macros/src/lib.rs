//! The attributes of `cspec`. Each reads one item of the language and generates ordinary Rust: types, traits and implementations
//! of the traits of the crate `cspec`. The macros know nothing of proofs; `cargo cspec` reads the same source independently.
//!
//! Names are generated from the user's own tokens, so that an error, a rename or a jump to a definition leads to the layer file.

use proc_macro::TokenStream;

mod bottom;
mod client;
mod implement;
mod layer;
mod names;
mod origin;
mod state;

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    origin::renamed(expanded.unwrap_or_else(syn::Error::into_compile_error)).into()
}

/// A struct or enum that layers are made of: compared, cloned, printed and enumerated by its parts.
///
/// Derives `Clone`, `PartialEq`, `Eq`, `PartialOrd`, `Ord`, `Hash`, `Debug` and `Default` unless they are derived already, and
/// implements `cspec::Value`. The default of an enum is the variant marked `#[default]`, or else the first.
#[proc_macro_attribute]
pub fn state(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(state::state(args.into(), item.into()))
}

/// A tuple struct of one field whose values are only compared.
///
/// Derives what `#[state]` derives, and `Copy` if the field is an integer, `bool`, `char` or `Pid`. Implements `From` in both directions
/// and `cspec::Scalar`.
#[proc_macro_attribute]
pub fn scalar(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(state::scalar(args.into(), item.into()))
}

/// `#[layer(…)] impl Name for State { … }`: declares the layer `Name`.
///
/// Generates
///
/// * the trait `Name`, implemented by whatever performs all of the layer's operations, with one method for each;
/// * the module `__Name`, with one type for each operation: `__Name::link_mail((arguments,))`;
/// * the executable model, `cspec::Model<dyn Name>`.
#[proc_macro_attribute]
pub fn layer(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(layer::layer(args.into(), item.into()))
}

/// `#[implement(Upper, over = Lower, by = PATTERN, pass(…))] impl Name { … }`: operations of `Upper` by procedures over `Lower`.
///
/// Generates `pub struct Name<L>(pub L)`, which performs the operations of `Upper` over any `L: Lower`. Each function whose first
/// parameter is `lo: &mut impl Lower` is the procedure of the operation of that name; other functions are helpers. The functions
/// stay callable as `Name::function`.
#[proc_macro_attribute]
pub fn implement(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(implement::implement(args.into(), item.into()))
}

/// `#[bottom] impl Name for Hardware { … }`: real code for every operation of the layer `Name`, without `me`.
#[proc_macro_attribute]
pub fn bottom(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(bottom::bottom(args.into(), item.into()))
}

/// `#[stack] pub type Stack<Bottom> = Top<Middle<Bottom>>;`: asks `cargo cspec` to check that the links fit. The alias is unchanged.
#[proc_macro_attribute]
pub fn stack(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(client::stack(args.into(), item.into()))
}

/// `#[client(Stack, …, processes(2, 3))] fn name(process: u64, top: &mut impl Top) { … }`: a program for the end-to-end search. With
/// `processes: u64` after `process` it gets the number of processes; with `may_wait` in the attribute it may wait for ever. The function is
/// unchanged.
#[proc_macro_attribute]
pub fn client(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(client::client(args.into(), item.into()))
}
