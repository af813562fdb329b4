//! Lifting: generates the function that `inherit(Layer in field[key: K]: op)` stands for, for an operation or for initial states.
//!
//! ```text
//! fn op(&mut self, me: Pid, key: K, arguments…) -> Result { when(self.field.contains(&key)); op(&mut self.field[&key], me, arguments…) }
//! fn init(&self) -> bool { self.field.values().all(|entry| init(entry)) }
//! ```

use super::{
    declared::{Declared, ItemRef, Origin},
    lowering::Lowering,
    signature::{Parameter, Receiver, Signature},
    spot::Spot,
    ty::Ty,
};
use crate::ir::{
    Argument, Each, Expr, ExprKind, Function, FunctionId, FunctionKind, Local, LocalId, NodeId, Pattern, Place, Prim,
    Projection, Stmt, Type,
};

/// A function that acts on entries of a map.
#[derive(Clone)]
pub(super) struct Lift {
    /// The layer that inherits.
    pub(super) layer: usize,
    /// The path of fields from the state to the map.
    pub(super) field: Vec<u32>,
    /// The name and type of the key.
    pub(super) key: (String, Ty),
    /// The type of the entries.
    pub(super) entry: Ty,
    /// The function that acts on an entry.
    pub(super) item: ItemRef,
    /// The path of fields from the entry to the component that `item` acts on.
    pub(super) inner: Vec<u32>,
    /// Whether `item` is the condition on initial states. Otherwise it is an operation.
    pub(super) init: bool,
    /// The name in the list of `inherit`.
    pub(super) spot: Spot,
}

impl Lift {
    /// The signature of the lifted operation.
    pub(super) fn signature(&self, state: &Ty, operation: &Signature) -> Signature {
        let (name, ty) = self.key.clone();
        let key = Parameter { name, ty, inout: false, mutable: false, written: 0 };
        let mut parameters = operation.parameters.clone();
        parameters[0].ty = state.clone();
        parameters.insert(2, key);
        Signature {
            parameters,
            is_method: true,
            receiver: Some(Receiver::Mutable),
            result: operation.result.clone(),
            lower: None,
            lower_parameter: None,
        }
    }
}

/// The function of a lift, and the positions of its nodes.
pub(super) fn lower(package: &Lowering<&Declared>, number: u32) -> (Function, Vec<Spot>) {
    let lift = &package.lifts[number as usize];
    let name = format!("{}::{}", package.layer_name(lift.layer), package.function_item(lift.item).name.text);
    // A lifted function has a signature.
    let written = package.signature(lift.item).expect("what is lifted has a signature");
    let inner = package.request_known(Origin::Written(lift.item));
    let state = known(&package.layers[lift.layer].state);
    let mut build = Build { nodes: Vec::new(), spot: lift.spot };
    let function = if lift.init {
        build.init(name, state, lift, inner)
    } else {
        build.operation(name, state, lift, inner, &written)
    };
    (function, build.nodes)
}

/// A type of a layer with an id, which is known.
fn known(ty: &Ty) -> Type {
    ty.to_type().expect("the types of a layer that is not left out are known")
}

fn local(name: &str, ty: Type, inout: bool) -> Local {
    let name = if name.is_empty() { "_" } else { name };
    Local { name: name.to_owned(), ty, inout }
}

/// Builds expressions that all have the same position.
struct Build {
    nodes: Vec<Spot>,
    spot: Spot,
}

impl Build {
    fn init(&mut self, name: String, state: Type, lift: &Lift, inner: FunctionId) -> Function {
        let (key, entry) = (known(&lift.key.1), known(&lift.entry));
        let whole = self.node();
        let (_, map) = self.map(lift);
        let pairs = Type::Seq(Box::new(Type::Tuple(vec![key, entry.clone()])));
        let entries = self.expr(pairs, ExprKind::Prim(Prim::Elems, vec![map]));
        let pattern = Pattern::Tuple(vec![Pattern::Wild, Pattern::Bind(LocalId(1))]);
        let one = self.read(LocalId(1), entry.clone());
        let initial = self.expr(Type::Bool, ExprKind::Call(inner, vec![Argument::Value(one)]));
        let kind = ExprKind::Each(Each::All, Box::new(entries), pattern, Box::new(initial));
        Function {
            name,
            kind: FunctionKind::Plain,
            locals: vec![local("self", state, false), local("entry", entry, false)],
            parameters: 1,
            result: Type::Bool,
            body: Expr { node: whole, ty: Type::Bool, kind },
        }
    }

    fn operation(
        &mut self,
        name: String,
        state: Type,
        lift: &Lift,
        inner: FunctionId,
        written: &Signature,
    ) -> Function {
        let (me, key) = (LocalId(1), LocalId(2));
        let key_type = known(&lift.key.1);
        let whole = self.node();
        let (mut place, map) = self.map(lift);
        let wanted = self.read(key, key_type.clone());
        let present = self.expr(Type::Bool, ExprKind::Prim(Prim::Contains, vec![map, wanted]));
        let guard = self.expr(Type::UNIT, ExprKind::When(Box::new(present)));
        place.path.push(Projection::Index(self.read(key, key_type.clone())));
        place.path.extend(lift.inner.iter().map(|it| Projection::Field(*it)));
        let acted_on = match &written.parameters[0] {
            it if it.inout => Argument::InOut(place),
            it => Argument::Value(self.expr(known(&it.ty), ExprKind::Read(place))),
        };
        let mut arguments = vec![acted_on, Argument::Value(self.read(me, Type::Pid))];
        let mut locals =
            vec![local("self", state, true), local("me", Type::Pid, false), local(&lift.key.0, key_type, false)];
        for parameter in &written.parameters[2..] {
            let ty = known(&parameter.ty);
            arguments.push(Argument::Value(self.read(LocalId(locals.len() as u32), ty.clone())));
            locals.push(local(&parameter.name, ty, false));
        }
        let result = known(&written.result);
        let call = self.expr(result.clone(), ExprKind::Call(inner, arguments));
        let kind = ExprKind::Block(vec![Stmt::Expr(guard)], Some(Box::new(call)));
        Function {
            name,
            kind: FunctionKind::Plain,
            parameters: locals.len() as u32,
            locals,
            result: result.clone(),
            body: Expr { node: whole, ty: result, kind },
        }
    }

    /// The map, as a place and as what is there.
    fn map(&mut self, lift: &Lift) -> (Place, Expr) {
        let ty = Type::Map(Box::new(known(&lift.key.1)), Box::new(known(&lift.entry)));
        let place = Place { local: LocalId(0), path: lift.field.iter().map(|it| Projection::Field(*it)).collect() };
        let read = self.expr(ty, ExprKind::Read(place.clone()));
        (place, read)
    }

    fn node(&mut self) -> NodeId {
        self.nodes.push(self.spot);
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn expr(&mut self, ty: Type, kind: ExprKind) -> Expr {
        Expr { node: self.node(), ty, kind }
    }

    fn read(&mut self, local: LocalId, ty: Type) -> Expr {
        self.expr(ty, ExprKind::Read(Place { local, path: Vec::new() }))
    }
}
