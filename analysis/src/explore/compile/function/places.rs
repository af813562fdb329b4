//! Places: locals and their components; and calls, which may change the places that are passed to them.

use super::FunctionCompiler;
use crate::{
    explore::code::Op,
    ir::{Argument, FunctionId, NodeId, Place, Projection},
};

impl FunctionCompiler<'_, '_> {
    pub(super) fn call(&mut self, node: NodeId, function: FunctionId, arguments: &[Argument]) {
        let mut places = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Value(value) => self.expr(value),
                Argument::InOut(place) => {
                    let keys = self.keys(place);
                    self.read_with(node, place, &keys);
                    places.push((place, keys));
                }
            }
        }
        self.emit(node, Op::Call(function.0));
        if places.is_empty() {
            return;
        }
        let result = self.temporary();
        self.emit(node, Op::Store(result));
        for (place, keys) in places.into_iter().rev() {
            self.write(node, place, &keys);
        }
        self.emit(node, Op::Load(result));
    }

    pub(super) fn read(&mut self, node: NodeId, place: &Place) {
        self.emit(node, Op::Load(place.local.0));
        for projection in &place.path {
            match projection {
                Projection::Field(index) => drop(self.emit(node, Op::Field(*index))),
                Projection::Payload(index) => drop(self.emit(node, Op::Payload(*index))),
                Projection::Index(key) => {
                    self.expr(key);
                    self.emit(node, Op::Index);
                }
            }
        }
    }

    /// Evaluates the keys in a place once; returns the locals that hold them.
    pub(super) fn keys(&mut self, place: &Place) -> Vec<u32> {
        let mut keys = Vec::new();
        for projection in &place.path {
            if let Projection::Index(key) = projection {
                self.expr(key);
                let temporary = self.temporary();
                self.emit(key.node, Op::Store(temporary));
                keys.push(temporary);
            }
        }
        keys
    }

    pub(super) fn read_with(&mut self, node: NodeId, place: &Place, keys: &[u32]) {
        self.emit(node, Op::Load(place.local.0));
        let mut keys = keys.iter();
        for projection in &place.path {
            self.project(node, projection, &mut keys);
        }
    }

    fn project<'k>(&mut self, node: NodeId, projection: &Projection, keys: &mut impl Iterator<Item = &'k u32>) {
        match projection {
            Projection::Field(index) => drop(self.emit(node, Op::Field(*index))),
            Projection::Payload(index) => drop(self.emit(node, Op::Payload(*index))),
            Projection::Index(_) => {
                if let Some(key) = keys.next() {
                    self.emit(node, Op::Load(*key));
                }
                self.emit(node, Op::Index);
            }
        }
    }

    /// Stores the value on the stack in a place.
    pub(super) fn write(&mut self, node: NodeId, place: &Place, keys: &[u32]) {
        if place.path.is_empty() {
            self.emit(node, Op::Store(place.local.0));
            return;
        }
        let value = self.temporary();
        self.emit(node, Op::Store(value));
        self.emit(node, Op::Load(place.local.0));
        self.update(node, &place.path, keys, value);
        self.emit(node, Op::Store(place.local.0));
    }

    /// `[container → container]`, with the value of a local stored at the end of the path.
    fn update(&mut self, node: NodeId, path: &[Projection], keys: &[u32], value: u32) {
        let [first, rest @ ..] = path else { return };
        let keys_left = &keys[usize::from(matches!(first, Projection::Index(_))).min(keys.len())..];
        if rest.is_empty() {
            if let (Projection::Index(_), Some(key)) = (first, keys.first()) {
                self.emit(node, Op::Load(*key));
            }
            self.emit(node, Op::Load(value));
        } else {
            self.emit(node, Op::Dup);
            self.project(node, first, &mut keys.iter());
            self.update(node, rest, keys_left, value);
            if let (Projection::Index(_), Some(key)) = (first, keys.first()) {
                self.emit(node, Op::Load(*key));
                self.emit(node, Op::Swap);
            }
        }
        match first {
            Projection::Field(index) => self.emit(node, Op::SetField(*index)),
            Projection::Payload(index) => self.emit(node, Op::SetPayload(*index)),
            Projection::Index(_) => self.emit(node, Op::SetIndex),
        };
    }
}
