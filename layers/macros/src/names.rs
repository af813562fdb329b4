//! Names of generated items, and paths as written inside a generated module.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::visit_mut::{self, VisitMut};
use syn::{Path, PathSegment, Type};

/// The path of the hidden module of the layer at `layer`: `a::Deliver` → `a::__Deliver`.
pub fn hidden(layer: &Path) -> Path {
    let mut path = layer.clone();
    if let Some(last) = path.segments.last_mut() {
        last.ident = format_ident!("__{}", last.ident);
    }
    path
}

/// The trait with the method that calls an operation. It is in the hidden module, next to the operation's type.
pub fn call_trait(op: &Ident) -> Ident {
    format_ident!("__call_{}", op)
}

/// The trait with the method that calls an operation on the entry of a key.
pub fn keyed_trait(op: &Ident) -> Ident {
    format_ident!("__keyed_{}", op)
}

/// The same path, as written one module deeper.
pub fn one_deeper(path: &Path) -> Path {
    let mut path = path.clone();
    Deeper.visit_path_mut(&mut path);
    let anchored =
        path.leading_colon.is_some() || path.segments.first().is_some_and(|s| s.ident == "crate" || s.ident == "super");
    if !anchored {
        path.segments.insert(0, PathSegment::from(Ident::new("super", Span::call_site())));
    }
    path
}

/// The same type, as written in a module one level deeper that glob-imports this one.
pub fn type_one_deeper(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Deeper.visit_type_mut(&mut ty);
    ty
}

/// `super::x` → `super::super::x`, `self::x` → `super::x`; other paths stay.
struct Deeper;

impl VisitMut for Deeper {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(first) = path.segments.first_mut() else {
            return;
        };
        let span = first.ident.span();
        if first.ident == "self" {
            first.ident = Ident::new("super", span);
        } else if first.ident == "super" {
            path.segments.insert(0, PathSegment::from(Ident::new("super", span)));
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn paths_are_rewritten_for_the_module_inside() {
        let shown = |path: Path| one_deeper(&path).to_token_stream().to_string().replace(' ', "");
        assert_eq!(shown(parse_quote!(Tso)), "super::Tso");
        assert_eq!(shown(parse_quote!(super::tso::Tso)), "super::super::tso::Tso");
        assert_eq!(shown(parse_quote!(self::Tso)), "super::Tso");
        assert_eq!(shown(parse_quote!(crate::Tso)), "crate::Tso");
    }

    #[test]
    fn types_are_rewritten_inside_their_arguments() {
        let ty = type_one_deeper(&parse_quote!(Map<super::Key, (u64, self::Item)>));
        assert_eq!(ty.to_token_stream().to_string().replace(' ', ""), "Map<super::super::Key,(u64,super::Item)>");
    }
}
