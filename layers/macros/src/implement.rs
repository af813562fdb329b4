//! `#[implement]`: a struct over whatever performs the lower layer, which performs the upper one.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, ImplItem, ImplItemFn, ItemImpl, Path, Result, Token, Type, Visibility, parenthesized,
    parse_quote, parse2,
};

use crate::names::hidden;

/// The arguments of `#[implement(…)]`.
struct Args {
    upper: Path,
    lower: Path,
    pattern: Ident,
    pass: Vec<Ident>,
}

const PATTERNS: &str = "expected `movers`, `retry`, `abstraction` or `partition(key)`";

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let upper = Path::parse_mod_style(input)?;
        let (mut lower, mut pattern, mut pass) = (None, None, Vec::new());
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "over" => {
                    input.parse::<Token![=]>()?;
                    lower = Some(Path::parse_mod_style(input)?);
                }
                "by" => {
                    input.parse::<Token![=]>()?;
                    pattern = Some(by(input)?);
                }
                "pass" => {
                    let inside;
                    parenthesized!(inside in input);
                    pass.extend(Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?);
                }
                _ => {
                    return Err(Error::new_spanned(word, "expected `over = Lower`, `by = PATTERN` or `pass(…)`"));
                }
            }
        }
        let lower = lower.ok_or_else(|| Error::new_spanned(&upper, "over which layer? Write `over = Lower`"))?;
        let pattern = pattern.ok_or_else(|| Error::new_spanned(&upper, "by which pattern? Write `by = movers`"))?;
        Ok(Args { upper, lower, pattern, pass })
    }
}

fn by(input: ParseStream<'_>) -> Result<Ident> {
    let pattern: Ident = input.parse()?;
    match pattern.to_string().as_str() {
        "movers" | "retry" | "abstraction" => {}
        "partition" => {
            let key;
            parenthesized!(key in input);
            key.parse::<TokenStream>()?;
        }
        _ => return Err(Error::new_spanned(pattern, PATTERNS)),
    }
    Ok(pattern)
}

pub fn implement(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let args: Args = parse2(args)?;
    let item: ItemImpl = parse2(item)?;
    let name = name_of(&item)?;
    let by_abstraction = args.pattern == "abstraction";
    let (mut functions, mut procedures, mut relations) = (Vec::new(), Vec::new(), 0);
    for member in item.items {
        let ImplItem::Fn(mut function) = member else {
            return Err(Error::new_spanned(member, "an implementation consists of functions"));
        };
        if take_abstraction(&mut function.attrs) {
            relations += 1;
            if !by_abstraction {
                return Err(Error::new_spanned(&function.sig.ident, "`#[abstraction]` belongs to `by = abstraction`"));
            }
            function.vis = Visibility::Public(Default::default());
            function.attrs.push(parse_quote!(#[allow(dead_code)]));
        } else if is_procedure(&function) {
            procedures.push(procedure(&args, &name, &function));
        }
        functions.push(function);
    }
    if by_abstraction {
        check_abstraction(&args, &name, relations, procedures.len())?;
    }
    let attributes = item.attrs;
    let passed = args.pass.iter().map(|op| pass(&args, &name, op));
    let through = by_abstraction.then(|| all_through(&name));
    let complete = complete(&args, &name);
    Ok(quote! {
        #(#attributes)*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct #name<L>(
            /// What lies below.
            pub L,
        );

        impl #name<()> { #(#functions)* }
        #(#procedures)*
        #(#passed)*
        #through
        #complete
    })
}

fn name_of(item: &ItemImpl) -> Result<Ident> {
    let named = match &*item.self_ty {
        Type::Path(path) if item.trait_.is_none() => path.path.get_ident().cloned(),
        _ => None,
    };
    named.ok_or_else(|| {
        Error::new_spanned(&item.self_ty, "an implementation is written as `impl Name`, with a new name")
    })
}

fn take_abstraction(attributes: &mut Vec<Attribute>) -> bool {
    let before = attributes.len();
    attributes.retain(|attribute| !attribute.path().is_ident("abstraction"));
    attributes.len() < before
}

/// Whether the first parameter is `lo: &mut impl Lower`.
fn is_procedure(function: &ImplItemFn) -> bool {
    match function.sig.inputs.first() {
        Some(FnArg::Typed(typed)) => match &*typed.ty {
            Type::Reference(reference) => {
                reference.mutability.is_some() && matches!(&*reference.elem, Type::ImplTrait(_))
            }
            _ => false,
        },
        _ => false,
    }
}

fn check_abstraction(args: &Args, name: &Ident, relations: usize, procedures: usize) -> Result<()> {
    if relations != 1 {
        return Err(Error::new_spanned(name, "an abstraction is one `#[abstraction]` function"));
    }
    if let Some(op) = args.pass.first() {
        return Err(Error::new_spanned(op, "an abstraction passes on every operation: there is nothing to name"));
    }
    if procedures > 0 {
        return Err(Error::new_spanned(name, "an abstraction does not change the code: it has no procedures"));
    }
    Ok(())
}

/// One operation by a procedure.
fn procedure(args: &Args, name: &Ident, function: &ImplItemFn) -> TokenStream {
    let (upper, lower) = (hidden(&args.upper), &args.lower);
    let op = &function.sig.ident;
    let arguments: Vec<Ident> =
        (1..function.sig.inputs.len()).map(|place| quote::format_ident!("argument{}", place)).collect();
    // An error in the procedure's type is best shown at its name.
    let here = Ident::new(&name.to_string(), op.span());
    let call = quote_spanned!(op.span()=> #here::<()>::#op(&mut self.0 #(, #arguments)*));
    quote! {
        impl<L__: #lower> ::cspec::Perform<#upper::#op> for #name<L__> {
            #[inline]
            fn perform(&mut self, op: #upper::#op) -> <#upper::#op as ::cspec::Operation>::Output {
                let (#(#arguments,)*) = op.0;
                #call
            }
        }
    }
}

/// One operation that both layers share.
fn pass(args: &Args, name: &Ident, op: &Ident) -> TokenStream {
    let (upper, lower, bound) = (hidden(&args.upper), hidden(&args.lower), &args.lower);
    let forward = quote_spanned!(op.span()=> ::cspec::Perform::<#lower::#op>::perform(&mut self.0, #lower::#op(op.0)));
    quote! {
        impl<L__: #bound> ::cspec::Perform<#upper::#op> for #name<L__> {
            #[inline]
            fn perform(&mut self, op: #upper::#op) -> <#upper::#op as ::cspec::Operation>::Output {
                #forward
            }
        }
    }
}

/// Every operation, unchanged.
fn all_through(name: &Ident) -> TokenStream {
    quote! {
        impl<L__: ::cspec::Perform<O__>, O__: ::cspec::Operation> ::cspec::Perform<O__> for #name<L__> {
            #[inline]
            fn perform(&mut self, op: O__) -> O__::Output {
                ::cspec::Perform::<O__>::perform(&mut self.0, op)
            }
        }
    }
}

/// A function that only compiles if every operation of the upper layer is there.
fn complete(args: &Args, name: &Ident) -> TokenStream {
    let (upper, lower) = (&args.upper, &args.lower);
    let check = quote_spanned!(upper.span()=> fn complete<L__: #lower>(it: #name<L__>) -> impl #upper { it });
    quote! {
        const _: () = {
            #[allow(dead_code)]
            #check
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(args: TokenStream, item: TokenStream) -> String {
        implement(args, item).expect_err("this must not be accepted").to_string()
    }

    #[test]
    fn arguments_of_the_attribute() {
        let empty = || quote!(impl Name {});
        assert!(implement(quote!(Up, over = Lo, by = movers, pass(list, read)), empty()).is_ok());
        assert!(implement(quote!(Up, over = Lo, by = partition(user)), empty()).is_ok());
        assert!(message(quote!(Up, by = movers), empty()).contains("over which layer?"));
        assert!(message(quote!(Up, over = Lo), empty()).contains("by which pattern?"));
        assert_eq!(message(quote!(Up, over = Lo, by = magic), empty()), PATTERNS);
        assert!(message(quote!(Up, under = Lo), empty()).starts_with("expected `over"));
    }

    #[test]
    fn abstractions() {
        let by_abstraction = || quote!(Up, over = Lo, by = abstraction);
        let relation = quote!(impl Name { #[abstraction] fn relation(lo: &Lo) -> Hi { lo.hi() } });
        assert!(implement(by_abstraction(), relation.clone()).is_ok());
        assert!(message(by_abstraction(), quote!(impl Name {})).contains("one `#[abstraction]`"));
        assert!(message(quote!(Up, over = Lo, by = movers), relation).contains("belongs to `by = abstraction`"));
        let passing = quote!(Up, over = Lo, by = abstraction, pass(list));
        assert!(
            message(passing, quote!(impl Name { #[abstraction] fn f(lo: &Lo) -> Hi { lo.hi() } }))
                .contains("nothing to name")
        );
    }

    #[test]
    fn the_name_is_new() {
        assert!(message(quote!(Up, over = Lo, by = movers), quote!(impl Up for Name {})).contains("`impl Name`"));
    }
}
