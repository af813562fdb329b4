//! Signatures: the parameters and the result of a function, without its body.

use std::borrow::Borrow;

use super::{
    declared::{Declared, ItemRef, Site},
    lowering::Lowering,
    report::error,
    ty::Ty,
};
use crate::{
    diagnostics::codes,
    index::{ImplRole, path_segments},
    syntax::{
        AstNode,
        ast::{self, HasGenericParams, HasName},
    },
};

/// The signature of a function.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// The parameters, without the `lo: &mut impl Layer` of a procedure.
    pub(super) parameters: Vec<Parameter>,
    /// Whether parameter 0 is `self`.
    pub(super) is_method: bool,
    /// How it takes `self`, if it is a method.
    pub(super) receiver: Option<Receiver>,
    pub(super) result: Ty,
    /// The layer below, for a procedure: index into the package's layers.
    pub(super) lower: Option<usize>,
    /// The name of the `lo` parameter, and its position among the parameters.
    pub(super) lower_parameter: Option<(String, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    /// The name; empty if it is a pattern.
    pub(super) name: String,
    pub(super) ty: Ty,
    /// Whether it is a `&mut` parameter.
    pub(super) inout: bool,
    /// Whether the name is declared `mut`.
    pub(super) mutable: bool,
    /// The position of the parameter in the text, to find its pattern; `self` is not counted.
    pub(super) written: usize,
}

/// How a method takes `self`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiver {
    /// `self`
    Value,
    /// `&self`
    Shared,
    /// `&mut self`
    Mutable,
}

impl Signature {
    /// The types only, which is what two layers compare.
    pub(super) fn shape(&self) -> (Vec<&Ty>, &Ty) {
        (self.parameters.iter().skip(if self.is_method { 2 } else { 0 }).map(|it| &it.ty).collect(), &self.result)
    }
}

impl<D: Borrow<Declared>> Lowering<D> {
    /// The type of `Self` in a function.
    pub(super) fn self_type(&self, item: ItemRef) -> Option<Ty> {
        let block = self.owner(item)?;
        if matches!(block.role, ImplRole::Implement(_)) {
            return None;
        }
        let declared: ast::Impl = self.head(item.file, block.declaration)?;
        let ty = declared.self_ty()?;
        let site = self.block_site(item.file, self.function_item(item).owner?);
        Some(self.resolve_type(site, &ty, None))
    }

    /// The signature of a function; `None` if it is not in the subset, which is reported.
    pub(super) fn lower_signature(&self, item: ItemRef) -> Option<Signature> {
        let declared = self.function_item(item);
        let function: ast::Fn = self.head(item.file, declared.declaration)?;
        let site = self.function_site(item);
        self.check_attributes(item.file, declared.scope, &declared.attributes, false);
        if let Some(block) = self.owner(item) {
            self.check_attributes(item.file, block.scope, &block.attributes, false);
        }
        let self_type = self.self_type(item);
        if let Some(generics) = function.generic_param_list() {
            let spot = site.spot(generics.syntax());
            self.unsupported(
                spot,
                "a generic function",
                "write it for the types that you need; a procedure takes `lo: &mut impl Layer`",
            );
            return None;
        }
        let mut signature = Signature {
            parameters: Vec::new(),
            is_method: false,
            receiver: None,
            result: Ty::UNIT,
            lower: None,
            lower_parameter: None,
        };
        let list = function.param_list()?;
        if let Some(it) = list.self_param() {
            signature.is_method = true;
            let by_mut_reference = it.amp_token().is_some() && it.mut_token().is_some();
            signature.receiver = Some(match it.amp_token() {
                Some(_) if by_mut_reference => Receiver::Mutable,
                Some(_) => Receiver::Shared,
                None => Receiver::Value,
            });
            signature.parameters.push(Parameter {
                name: "self".to_owned(),
                ty: self_type.clone()?,
                inout: by_mut_reference,
                mutable: by_mut_reference || it.mut_token().is_some(),
                written: 0,
            });
        }
        for (number, parameter) in list.params().enumerate() {
            self.read_parameter(site, number, &parameter, self_type.as_ref(), &mut signature)?;
        }
        if let Some(ty) = function.ret_type().and_then(|it| it.ty()) {
            signature.result = self.resolve_type(site, &ty, self_type.as_ref());
        }
        let known = signature.parameters.iter().all(|it| it.ty.is_known()) && signature.result.is_known();
        if !known && !self.types_written(&signature) {
            let spot = self.name_spot(item.file, &declared.name);
            self.report(error(
                codes::CS0104,
                spot,
                format!("the signature of `{}` must name all types", declared.name.text),
            ));
        }
        known.then_some(signature)
    }

    /// Whether the unknown types in a signature have been reported, as opposed to a `_`.
    fn types_written(&self, signature: &Signature) -> bool {
        let types = signature.parameters.iter().map(|it| &it.ty).chain([&signature.result]);
        !types.into_iter().any(contains_hole)
    }

    fn read_parameter(
        &self,
        site: Site,
        number: usize,
        parameter: &ast::Param,
        self_type: Option<&Ty>,
        signature: &mut Signature,
    ) -> Option<()> {
        let mut ty = parameter.ty()?;
        let (name, mutable) = match parameter.pat() {
            Some(ast::Pat::IdentPat(it)) if it.pat().is_none() => {
                (it.name().map(|it| it.text().to_string()).unwrap_or_default(), it.mut_token().is_some())
            }
            _ => (String::new(), false),
        };
        let mut inout = false;
        if let ast::Type::RefType(it) = &ty
            && it.mut_token().is_some()
        {
            let inner = it.ty()?;
            if let ast::Type::ImplTraitType(bound) = &inner {
                signature.lower = Some(self.lower_layer(site, bound)?);
                signature.lower_parameter = Some((name, number));
                return Some(());
            }
            inout = true;
            ty = inner;
        }
        let ty = self.resolve_type(site, &ty, self_type);
        signature.parameters.push(Parameter { name, ty, inout, mutable: mutable || inout, written: number });
        Some(())
    }

    /// The layer of `impl Layer`.
    fn lower_layer(&self, site: Site, bound: &ast::ImplTraitType) -> Option<usize> {
        let bound = bound.type_bound_list()?.bounds().next()?;
        let spot = site.spot(bound.syntax());
        let path = match bound.ty()? {
            ast::Type::PathType(it) => it.path()?,
            _ => return None,
        };
        self.layer_at(site, &path_segments(&path)?, spot)
    }
}

fn contains_hole(ty: &Ty) -> bool {
    match ty {
        Ty::Hole => true,
        Ty::Con(_, arguments) => arguments.iter().any(contains_hole),
        Ty::Error | Ty::Var(_) => false,
    }
}
