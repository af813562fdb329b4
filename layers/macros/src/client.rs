//! `#[stack]` and `#[client]`: declarations for `cargo cspec`. rustc only checks their form.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{Nothing, Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, FnArg, ItemFn, ItemType, LitInt, Pat, Path, Result, Token, parenthesized, parse_quote, parse2};

pub fn stack(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    parse2::<Nothing>(args)?;
    let alias: ItemType = parse2(item)?;
    if alias.generics.type_params().count() != 1 {
        return Err(Error::new_spanned(&alias.ident, "a stack has one type parameter: the bottom layer"));
    }
    Ok(quote!(#alias))
}

struct ClientArgs;

impl Parse for ClientArgs {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse::<Path>()?;
        input.parse::<Token![,]>()?;
        while input.peek2(Token![,]) || input.peek2(Token![::]) {
            input.parse::<Path>()?;
            input.parse::<Token![,]>()?;
        }
        let word: Ident = input.parse()?;
        if word != "processes" {
            return Err(Error::new_spanned(word, "expected the name of a stack or `processes(…)`"));
        }
        let numbers;
        parenthesized!(numbers in input);
        let numbers = Punctuated::<LitInt, Token![,]>::parse_terminated(&numbers)?;
        if numbers.is_empty() {
            return Err(Error::new_spanned(word, "how many processes run this client? Write `processes(2, 3)`"));
        }
        numbers.iter().try_for_each(|number| number.base10_parse::<u32>().map(drop))?;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse()?;
            if word != "may_wait" {
                return Err(Error::new_spanned(word, "expected `may_wait`: processes may wait for ever"));
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(ClientArgs)
    }
}

pub fn client(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    parse2::<ClientArgs>(args)?;
    let mut function: ItemFn = parse2(item)?;
    let named = |input: &FnArg| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Some(name.ident.clone()),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    };
    let names: Vec<_> = function.sig.inputs.iter().filter_map(named).collect();
    let ([process, _] | [process, _, _]) = names.as_slice() else {
        return Err(Error::new_spanned(
            &function.sig.ident,
            "a client takes `process: u64`, perhaps `processes: u64`, and `top: &mut impl Layer`",
        ));
    };
    // Not every client uses its number or the number of processes.
    function.block.stmts.insert(0, parse_quote!(let _ = #process;));
    if let [_, processes, _] = names.as_slice() {
        function.block.stmts.insert(0, parse_quote!(let _ = #processes;));
    }
    Ok(quote!(#[allow(dead_code)] #function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        assert!(
            stack(
                TokenStream::new(),
                quote!(
                    type Stack<Bottom> = Top<Bottom>;
                )
            )
            .is_ok()
        );
        assert!(
            stack(
                TokenStream::new(),
                quote!(
                    type Stack = Top;
                )
            )
            .is_err()
        );
        let function = quote!(
            fn run(process: u64, top: &mut impl Top) {}
        );
        assert!(client(quote!(Stack, processes(2, 3)), function.clone()).is_ok());
        assert!(client(quote!(Stack, other::Stack, Third, processes(2)), function.clone()).is_ok());
        assert!(client(quote!(Stack, processes(2), may_wait), function.clone()).is_ok());
        assert!(client(quote!(Stack, processes(2), may_wait,), function.clone()).is_ok());
        assert!(client(quote!(Stack, processes(2), might_wait), function.clone()).is_err());
        assert!(client(quote!(Stack, processes()), function.clone()).is_err());
        assert!(client(quote!(Stack, threads(2)), function).is_err());
        assert!(
            client(
                quote!(Stack, processes(2)),
                quote!(
                    fn run(top: &mut impl Top) {}
                )
            )
            .is_err()
        );
        let counted = quote!(
            fn run(process: u64, processes: u64, top: &mut impl Top) {}
        );
        assert!(client(quote!(Stack, processes(2)), counted).is_ok());
    }
}
