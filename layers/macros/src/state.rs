//! `#[state]` and `#[scalar]`: types that models can compare and enumerate.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Nothing;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, Path, Result, Token, Type, parse2};

const DERIVED: [&str; 7] = ["Clone", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Debug"];
const COPIED: [&str; 13] =
    ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "bool", "char", "Pid"];

pub fn state(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    parse2::<Nothing>(args)?;
    let item: DeriveInput = parse2(item)?;
    not_generic(&item)?;
    let name = &item.ident;
    let (arbitrary, default) = match &item.data {
        Data::Struct(data) => (build(quote!(#name), &data.fields, &quote!(::cspec::any())), None),
        Data::Enum(data) if data.variants.is_empty() => {
            return Err(Error::new_spanned(name, "a state needs at least one value"));
        }
        Data::Enum(data) => {
            let count = data.variants.len();
            let arms = data.variants.iter().enumerate().map(|(number, variant)| {
                let ident = &variant.ident;
                let built = build(quote!(#name::#ident), &variant.fields, &quote!(::cspec::any()));
                quote!(#number => #built,)
            });
            let picked = quote!(match ::cspec::generated::pick(#count) { #(#arms)* _ => ::core::unreachable!() });
            let marked = data.variants.iter().any(|variant| has_attribute(&variant.attrs, "default"));
            let first = &data.variants[0];
            let ident = &first.ident;
            let built = build(quote!(#name::#ident), &first.fields, &quote!(::core::default::Default::default()));
            (picked, (!marked).then_some(built))
        }
        Data::Union(_) => return Err(Error::new_spanned(name, "a state is a struct or an enum")),
    };
    let derives = derives(&item, default.is_none());
    let default = match default {
        Some(built) if !derived(&item).iter().any(|path| path == "Default") => quote! {
            impl ::core::default::Default for #name {
                fn default() -> Self { #built }
            }
        },
        _ => TokenStream::new(),
    };
    Ok(quote! {
        #derives
        #item
        #default
        impl ::cspec::Value for #name {
            fn arbitrary() -> Self { #arbitrary }
        }
    })
}

pub fn scalar(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    parse2::<Nothing>(args)?;
    let item: DeriveInput = parse2(item)?;
    not_generic(&item)?;
    let name = &item.ident;
    let inner = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => &fields.unnamed[0].ty,
            _ => return Err(Error::new_spanned(name, SCALAR_SHAPE)),
        },
        _ => return Err(Error::new_spanned(name, SCALAR_SHAPE)),
    };
    let derives = derives(&item, true);
    let copied = derived(&item).iter().any(|path| path == "Copy") || !is_copied(inner);
    let copy = (!copied).then(|| quote!(#[derive(::core::marker::Copy)]));
    Ok(quote! {
        #derives
        #copy
        #item
        impl ::core::convert::From<#inner> for #name {
            fn from(value: #inner) -> Self { #name(value) }
        }
        impl ::core::convert::From<#name> for #inner {
            fn from(value: #name) -> Self { value.0 }
        }
        impl ::cspec::Scalar for #name {
            type Inner = #inner;
        }
        impl ::cspec::Value for #name {
            fn arbitrary() -> Self { #name(::cspec::any()) }
        }
    })
}

const SCALAR_SHAPE: &str = "a scalar is a tuple struct of one field, as in `struct Message(String);`";

fn not_generic(item: &DeriveInput) -> Result<()> {
    match item.generics.params.first() {
        Some(first) => Err(Error::new_spanned(first, "states and scalars have no type parameters")),
        None => Ok(()),
    }
}

/// A value of a struct or variant, each field by the same expression.
fn build(path: TokenStream, fields: &Fields, each: &TokenStream) -> TokenStream {
    match fields {
        Fields::Unit => path,
        Fields::Unnamed(fields) => {
            let values = fields.unnamed.iter().map(|_| each);
            quote!(#path(#(#values),*))
        }
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!(#path { #(#names: #each),* })
        }
    }
}

/// The derives that the user has not written.
fn derives(item: &DeriveInput, default: bool) -> TokenStream {
    let present = derived(item);
    let wanted = DERIVED.into_iter().chain(default.then_some("Default"));
    let missing = wanted.filter(|name| !present.iter().any(|path| path == name)).map(|name| format_ident!("{name}"));
    quote!(#[derive(#(#missing),*)])
}

/// The last names of all derives on the item.
fn derived(item: &DeriveInput) -> Vec<Ident> {
    let lists = item.attrs.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let paths = lists.filter_map(|list| list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
    paths.flatten().filter_map(|path| path.segments.last().map(|segment| segment.ident.clone())).collect()
}

fn has_attribute(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

fn is_copied(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.qself.is_none() && path.path.segments.last().is_some_and(|last| COPIED.iter().any(|name| last.ident == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<TokenStream>) -> String {
        result.expect_err("this must not be accepted").to_string()
    }

    #[test]
    fn what_a_scalar_is_not() {
        let nothing = TokenStream::new;
        assert_eq!(
            message(scalar(
                nothing(),
                quote!(
                    struct Message(String, u64);
                )
            )),
            SCALAR_SHAPE
        );
        assert_eq!(
            message(scalar(
                nothing(),
                quote!(
                    enum Color {
                        Red,
                    }
                )
            )),
            SCALAR_SHAPE
        );
        assert!(
            message(state(
                nothing(),
                quote!(
                    struct Cell<T>(T);
                )
            ))
            .contains("no type parameters")
        );
        assert!(
            message(state(
                nothing(),
                quote!(
                    enum Never {}
                )
            ))
            .contains("at least one value")
        );
    }

    #[test]
    fn derives_are_not_repeated() {
        let item = quote!(
            #[derive(Clone, Debug)]
            struct Spool {
                locked: bool,
            }
        );
        let expanded = state(TokenStream::new(), item).expect("a plain state").to_string();
        assert_eq!(expanded.matches("Clone").count(), 1);
    }
}
