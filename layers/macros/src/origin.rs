//! Finds the name of the crate `cspec` where an attribute is used: a package may depend on it under another name.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};
use syn::parse2;

/// The same tokens, with `::cspec` replaced by the name under which the current package depends on it.
pub fn renamed(tokens: TokenStream) -> TokenStream {
    match crate_name("cspec") {
        Ok(FoundCrate::Name(name)) if name != "cspec" => called(tokens, &name),
        // The crate itself, or a build without a readable manifest.
        _ => tokens,
    }
}

fn called(tokens: TokenStream, name: &str) -> TokenStream {
    let mut done: Vec<TokenTree> = Vec::new();
    for token in tokens {
        done.push(match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), called(group.stream(), name));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            TokenTree::Ident(ident) if ident == "cspec" && begins_a_path(&done) => {
                TokenTree::Ident(Ident::new(name, ident.span()))
            }
            other => other,
        });
    }
    done.into_iter().collect()
}

/// Whether the next token is the name of a crate: it follows `::`, and no path segment precedes that.
fn begins_a_path(before: &[TokenTree]) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ':');
    let [rest @ .., first, second] = before else { return false };
    let segment = match rest.last() {
        Some(TokenTree::Ident(ident)) => {
            let is_name = parse2::<Ident>(TokenTree::Ident(ident.clone()).into()).is_ok();
            is_name || ["self", "super", "crate", "Self"].iter().any(|it| ident == it)
        }
        Some(TokenTree::Punct(punct)) => punct.as_char() == '>' && !ends_an_arrow(rest) && !ends_parameters(rest),
        _ => false,
    };
    is_colon(first) && is_colon(second) && !segment
}

/// Whether the tokens end in `->` or `=>`: their `>` closes no path.
fn ends_an_arrow(tokens: &[TokenTree]) -> bool {
    let [.., TokenTree::Punct(first), TokenTree::Punct(second)] = tokens else { return false };
    matches!(first.as_char(), '-' | '=') && first.spacing() == Spacing::Joint && second.as_char() == '>'
}

/// Whether the tokens end in `impl<…>` or `for<…>`: a path that follows is a new one.
fn ends_parameters(tokens: &[TokenTree]) -> bool {
    let mut open = 0;
    for at in (0..tokens.len()).rev() {
        let TokenTree::Punct(punct) = &tokens[at] else { continue };
        match punct.as_char() {
            '>' if !ends_an_arrow(&tokens[..=at]) => open += 1,
            '<' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return matches!(tokens[..at].last(), Some(TokenTree::Ident(it)) if it == "impl" || it == "for");
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_the_name_of_the_crate_is_changed() {
        let tokens = quote! {
            impl ::cspec::Value for Key { fn arbitrary() -> Self { Key(::cspec::any(), self::cspec::any(), cspec::any()) } }
            impl<T: ?Sized + ::cspec::Perform<set>> Call for T {}
            impl<T: Fn() -> u64> ::cspec::Layer for T {}
            type Out = <dyn Lock as ::cspec::Layer>::cspec;
            fn output() -> ::cspec::Output { match out { _ => ::cspec::any() } }
        };
        let expected = quote! {
            impl ::vocabulary::Value for Key { fn arbitrary() -> Self { Key(::vocabulary::any(), self::cspec::any(), cspec::any()) } }
            impl<T: ?Sized + ::vocabulary::Perform<set>> Call for T {}
            impl<T: Fn() -> u64> ::vocabulary::Layer for T {}
            type Out = <dyn Lock as ::vocabulary::Layer>::cspec;
            fn output() -> ::vocabulary::Output { match out { _ => ::vocabulary::any() } }
        };
        assert_eq!(called(tokens, "vocabulary").to_string(), expected.to_string());
    }
}
