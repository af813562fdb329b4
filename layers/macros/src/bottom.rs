//! `#[bottom]`: the operations of the lowest layer, by hand-written code that is trusted.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::Nothing;
use syn::spanned::Spanned;
use syn::{Error, ImplItem, ImplItemFn, ItemImpl, Path, Result, Type, parse2};

use crate::layer::operation;
use crate::names::hidden;

pub fn bottom(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    parse2::<Nothing>(args)?;
    let item: ItemImpl = parse2(item)?;
    let Some((None, layer, _)) = &item.trait_ else {
        return Err(Error::new_spanned(&item.self_ty, "a bottom is written as `impl Layer for Hardware`"));
    };
    let hardware = &item.self_ty;
    let (generics, _, bounds) = item.generics.split_for_impl();
    let mut performs = Vec::new();
    for member in &item.items {
        match member {
            ImplItem::Fn(method) => performs.push(perform(&item, layer, hardware, method.clone())?),
            other => return Err(Error::new_spanned(other, "a bottom consists of operations")),
        }
    }
    // The check is a function that compiles only if no operation is missing.
    let complete =
        quote_spanned!(layer.span()=> fn complete #generics (bottom: #hardware) -> impl #layer #bounds { bottom });
    Ok(quote! {
        #(#performs)*
        const _: () = {
            #[allow(dead_code)]
            #complete
        };
    })
}

fn perform(item: &ItemImpl, layer: &Path, hardware: &Type, mut method: ImplItemFn) -> Result<TokenStream> {
    let op = operation(&mut method, false)?;
    let name = &op.name;
    let module = hidden(layer);
    let (generics, _, bounds) = item.generics.split_for_impl();
    let types = op.arguments.iter().map(|(_, ty)| ty);
    let patterns = method.sig.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(typed) => Some(&typed.pat),
        syn::FnArg::Receiver(_) => None,
    });
    let (output, statements, attributes) = (&op.output, &method.block.stmts, &method.attrs);
    Ok(quote! {
        impl #generics ::cspec::Perform<#module::#name> for #hardware #bounds {
            #(#attributes)*
            #[inline]
            fn perform(&mut self, op: #module::#name) -> #output {
                let (#(#patterns,)*): (#(#types,)*) = ::cspec::Operation::into_args(op);
                #(#statements)*
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let nothing = TokenStream::new;
        assert!(bottom(nothing(), quote!(impl Tso for Core<'_> { fn fence(&mut self) {} })).is_ok());
        assert!(bottom(nothing(), quote!(impl Core<'_> { fn fence(&mut self) {} })).is_err());
        assert!(bottom(nothing(), quote!(impl Tso for Core<'_> { fn fence() {} })).is_err());
    }
}
