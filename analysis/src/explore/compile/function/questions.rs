//! Questions about all entries of a collection: `all` and `any`.
//!
//! Such a question may be put as a whole, instead of listing the entries (see [`crate::explore::questions`]). For this its body is compiled
//! once more, as a function of the locals around it and of one element.

use std::collections::BTreeMap;

use super::{
    FunctionCompiler,
    patterns::{locals_bound, locals_declared},
};
use crate::{
    explore::{
        code::{CodeFunction, Element, Op, Universal},
        compile::intern,
    },
    ir::{Each, Expr, ExprKind, Pattern, Prim, Projection, Type},
};

impl FunctionCompiler<'_, '_> {
    /// If this can be put as a question about all entries of a map or set: the number of the question, and the collection. The body only
    /// computes a value, and cannot panic.
    pub(super) fn whole<'e>(
        &mut self,
        each: Each,
        sequence: &'e Expr,
        pattern: &Pattern,
        body: &Expr,
    ) -> Option<(u32, &'e Expr)> {
        let wanted = match each {
            Each::All => true,
            Each::Any => false,
            Each::Map | Each::Filter | Each::Find => return None,
        };
        let ExprKind::Prim(prim, operands) = &sequence.kind else { return None };
        let [source] = &operands[..] else { return None };
        let element = match (prim, &source.ty) {
            (Prim::Elems, Type::Set(_)) => Element::Key,
            (Prim::Elems, Type::Map(..)) => Element::Pair,
            (Prim::Values, Type::Map(..)) => Element::Value,
            _ => return None,
        };
        let reads = self.reads(pattern, body);
        let body = self.body(pattern, body);
        Some((intern(&mut self.code.questions, &Universal { body, element, wanted, reads }), source))
    }

    /// Lists the entries of the collection on the stack.
    pub(super) fn list(&mut self, sequence: &Expr) {
        if let ExprKind::Prim(prim, _) = &sequence.kind {
            let ty = if prim.is_about_operand() { Type::Bool } else { sequence.ty.clone() };
            let ty = intern(&mut self.code.types, &ty);
            self.emit(sequence.node, Op::Prim(*prim, 1, ty));
        }
    }

    /// Compiles the body as a function of the locals and an element: its number among the bodies.
    fn body(&mut self, pattern: &Pattern, body: &Expr) -> usize {
        let element = self.function.locals.len() as u32;
        let mut compiler = FunctionCompiler::new(&mut *self.code, self.quiet, self.function);
        compiler.locals = element + 1;
        compiler.emit(body.node, Op::Load(element));
        compiler.bind(body.node, pattern);
        compiler.expr(body);
        compiler.emit(body.node, Op::Return);
        let FunctionCompiler { ops, nodes, locals, .. } = compiler;
        let parameters = element as usize + 1;
        let is_same = |it: &CodeFunction| it.ops == ops && it.parameters == parameters;
        self.code.bodies.iter().position(is_same).unwrap_or_else(|| {
            let name = format!("{}::question", self.function.name);
            let (source, inout, might_panic) = (None, Vec::new(), false);
            let locals = locals as usize;
            self.code.bodies.push(CodeFunction { name, source, parameters, locals, inout, ops, nodes, might_panic });
            self.code.bodies.len() - 1
        })
    }

    /// For each local around a body that it reads, the parts of it that it reads.
    fn reads(&self, pattern: &Pattern, body: &Expr) -> Vec<(u32, Vec<Vec<u32>>)> {
        let mut own = Vec::new();
        locals_bound(pattern, &mut own);
        locals_declared(body, &mut own);
        let mut reads = BTreeMap::new();
        collect_reads(body, &mut reads);
        reads.into_iter().filter(|(local, _)| !own.contains(local)).collect()
    }
}

/// What an expression reads: each local, with the paths of fields to the parts. What is passed on is read as a whole.
fn collect_reads(expr: &Expr, reads: &mut BTreeMap<u32, Vec<Vec<u32>>>) {
    if let ExprKind::Read(place) = &expr.kind {
        let fields = place.path.iter().map_while(|it| match it {
            Projection::Field(index) => Some(*index),
            _ => None,
        });
        let path: Vec<u32> = fields.collect();
        let paths = reads.entry(place.local.0).or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    expr.for_each_child(&mut |it| collect_reads(it, reads));
}
