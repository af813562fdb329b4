//! The declaration of a layer: arguments of the attribute, and each method by its role.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, FnArg, ImplItem, ImplItemFn, ItemImpl, Pat, Path, Result, ReturnType, Stmt, Token, Type,
    bracketed, parenthesized, parse_quote, token,
};

/// A declared layer: the attribute's arguments, and the methods of the block by role.
pub struct Declaration {
    pub attributes: Vec<Attribute>,
    pub name: Ident,
    pub state: Type,
    pub base: Base,
    pub inherited: Vec<Inherited>,
    /// The layer whose initial states are inherited, and the component that they are over.
    pub inherited_init: Option<(Path, Component)>,
    pub operations: Vec<Operation>,
    pub init: Option<Ident>,
    pub background: Option<Ident>,
    pub invariants: Vec<Ident>,
    pub allowed: Vec<Allowed>,
    /// Every method with a body, without the attributes of cspec.
    pub bodies: Vec<ImplItemFn>,
}

/// The source of the set of operations.
pub enum Base {
    /// The layer's own methods, and those inherited by name.
    Own,
    /// The operations of another layer: `ops = Layer`.
    Ops(Path),
    /// The operations of another layer, restricted by `#[allowed]`: `protocol = Layer`.
    Protocol { layer: Path, nilpotent: bool },
}

/// `inherit(Layer in field: op)`, for one operation.
pub struct Inherited {
    pub layer: Path,
    pub component: Component,
    pub op: Ident,
}

/// The component that an inherited operation acts on.
#[derive(Clone, Default)]
pub struct Component {
    /// The path of fields from the state; empty for the whole state.
    pub fields: Vec<Ident>,
    /// `[key: K]`: the entry of the map there, at a key argument.
    pub key: Option<Type>,
}

/// One `#[op]` method: its signature and its body.
pub struct Operation {
    pub attributes: Vec<Attribute>,
    pub name: Ident,
    pub arguments: Vec<(Ident, Type)>,
    pub output: Type,
    /// The body, if the operation is external.
    pub external: Option<Expr>,
    /// The whole method, if it does not read the state: then it means the same over every state.
    pub stateless: Option<ImplItemFn>,
}

/// One `#[allowed(op, …)]` method.
pub struct Allowed {
    pub name: Ident,
    pub ops: Vec<Ident>,
    pub arguments: Vec<Type>,
}

/// The arguments of `#[layer(…)]`.
#[derive(Default)]
pub struct Args {
    inherit: Vec<(Path, Component, Vec<Ident>)>,
    ops: Option<Path>,
    protocol: Option<Path>,
    nilpotent: Option<Ident>,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Args::default();
        while !input.is_empty() {
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "inherit" => args.inherit.push(inherit(input)?),
                "ops" => set_once(&mut args.ops, &word, path_after_eq(input)?)?,
                "protocol" => set_once(&mut args.protocol, &word, path_after_eq(input)?)?,
                "nilpotent" => set_once(&mut args.nilpotent, &word, word.clone())?,
                _ => {
                    let message = "expected `inherit(…)`, `ops = Layer`, `protocol = Layer` or `nilpotent`";
                    return Err(Error::new_spanned(word, message));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if let (Some(word), None) = (&args.nilpotent, &args.protocol) {
            return Err(Error::new_spanned(word, "`nilpotent` belongs to `protocol = Layer`"));
        }
        Ok(args)
    }
}

fn set_once<T>(place: &mut Option<T>, word: &Ident, value: T) -> Result<()> {
    match place.replace(value) {
        Some(_) => Err(Error::new_spanned(word, format!("`{word}` is said twice"))),
        None => Ok(()),
    }
}

fn path_after_eq(input: ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![=]>()?;
    Path::parse_mod_style(input)
}

/// `(Layer in field: op, op)` or `(Layer in field[key: K]: op, op)`.
fn inherit(input: ParseStream<'_>) -> Result<(Path, Component, Vec<Ident>)> {
    let inside;
    parenthesized!(inside in input);
    let layer = Path::parse_mod_style(&inside)?;
    let component = match inside.parse::<Option<Token![in]>>()? {
        Some(_) => component(&inside)?,
        None => Component::default(),
    };
    inside.parse::<Token![:]>()?;
    let ops: Vec<Ident> = Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?.into_iter().collect();
    if ops.is_empty() {
        return Err(Error::new_spanned(layer, "which operations? Write `inherit(Layer: op, op)`"));
    }
    Ok((layer, component, ops))
}

/// Parses `field.field`, or `field[key: K]`.
fn component(input: ParseStream<'_>) -> Result<Component> {
    let fields = Punctuated::<Ident, Token![.]>::parse_separated_nonempty(input)?.into_iter().collect();
    if !input.peek(token::Bracket) {
        return Ok(Component { fields, key: None });
    }
    let inside;
    bracketed!(inside in input);
    inside.parse::<Ident>()?;
    inside.parse::<Token![:]>()?;
    Ok(Component { fields, key: Some(inside.parse()?) })
}

/// Reads a layer from its attribute's arguments and the block under it.
pub fn declaration(args: Args, item: ItemImpl) -> Result<Declaration> {
    let name = match &item.trait_ {
        Some((None, path, _)) if path.get_ident().is_some() => path.get_ident().cloned(),
        _ => None,
    };
    let Some(name) = name else {
        return Err(Error::new_spanned(&item.self_ty, "a layer is declared as `impl Layer for State`"));
    };
    if let Some(first) = item.generics.params.first() {
        return Err(Error::new_spanned(first, "layers have no type parameters"));
    }
    let mut layer = Declaration::new(item.attrs, name, *item.self_ty);
    layer.take_args(args)?;
    for member in item.items {
        match member {
            ImplItem::Fn(method) => layer.take_method(method)?,
            other => return Err(Error::new_spanned(other, "a layer consists of functions")),
        }
    }
    layer.check()?;
    Ok(layer)
}

impl Declaration {
    fn new(attributes: Vec<Attribute>, name: Ident, state: Type) -> Self {
        Declaration {
            attributes,
            name,
            state,
            base: Base::Own,
            inherited: Vec::new(),
            inherited_init: None,
            operations: Vec::new(),
            init: None,
            background: None,
            invariants: Vec::new(),
            allowed: Vec::new(),
            bodies: Vec::new(),
        }
    }

    fn take_args(&mut self, args: Args) -> Result<()> {
        self.base = match (args.ops, args.protocol) {
            (None, None) => Base::Own,
            (Some(layer), None) => Base::Ops(layer),
            (None, Some(layer)) => Base::Protocol { layer, nilpotent: args.nilpotent.is_some() },
            (Some(layer), Some(_)) => {
                return Err(Error::new_spanned(layer, "either `ops` or `protocol`, not both"));
            }
        };
        for (layer, component, ops) in args.inherit {
            if let Base::Protocol { .. } = self.base {
                let message = "a protocol layer has all operations of its layer: there is nothing to inherit";
                return Err(Error::new_spanned(layer, message));
            }
            for op in ops {
                if op == "init" {
                    set_once(&mut self.inherited_init, &op, (layer.clone(), component.clone()))?;
                } else {
                    self.inherited.push(Inherited { layer: layer.clone(), component: component.clone(), op });
                }
            }
        }
        Ok(())
    }

    fn take_method(&mut self, mut method: ImplItemFn) -> Result<()> {
        let name = method.sig.ident.clone();
        let Some((word, attribute)) = take_role(&mut method.attrs)? else {
            self.bodies.push(method);
            return Ok(());
        };
        match word {
            "op" => return self.take_op(&attribute, method),
            "init" => set_once(&mut self.init, &name, name.clone())?,
            "background" => set_once(&mut self.background, &name, name.clone())?,
            "invariant" => self.invariants.push(name),
            // Conditions for the proof and for the search: nothing that runs asks for them.
            "idle" | "never" | "always" => method.attrs.push(syn::parse_quote!(#[allow(dead_code)])),
            _ => {
                let ops = attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
                let (_, arguments) = arguments(&mut method)?;
                let arguments = arguments.into_iter().map(|(_, ty)| ty).collect();
                self.allowed.push(Allowed { name, ops: ops.into_iter().collect(), arguments });
            }
        }
        self.bodies.push(method);
        Ok(())
    }

    fn take_op(&mut self, attribute: &Attribute, mut method: ImplItemFn) -> Result<()> {
        let external = if is_external(attribute)? { Some(external_body(&method)?) } else { None };
        let operation = operation(&mut method, true)?;
        let stateless = (external.is_none() && !mentions_self(method.block.to_token_stream())).then(|| method.clone());
        if external.is_none() {
            self.bodies.push(method);
        }
        self.operations.push(Operation { external, stateless, ..operation });
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let protocol = matches!(self.base, Base::Protocol { .. });
        if let (true, Some(op)) = (protocol, self.operations.first()) {
            let message =
                "a protocol layer has the operations of its layer: `#[allowed(…)]` says where they may be used";
            return Err(Error::new_spanned(&op.name, message));
        }
        if let (false, Some(rule)) = (protocol, self.allowed.first()) {
            return Err(Error::new_spanned(&rule.name, "`#[allowed]` belongs to a layer with `protocol = Layer`"));
        }
        if let (Some(own), Some(_)) = (&self.init, &self.inherited_init) {
            return Err(Error::new_spanned(own, "the initial states are inherited already"));
        }
        if let (true, Some(own)) = (protocol, &self.init) {
            return Err(Error::new_spanned(own, "a protocol layer has the initial states of its layer"));
        }
        let mut names: Vec<&Ident> = Vec::new();
        for name in self.operations.iter().map(|op| &op.name).chain(self.inherited.iter().map(|op| &op.op)) {
            if names.contains(&name) {
                return Err(Error::new_spanned(name, format!("`{name}` has a meaning already")));
            }
            names.push(name);
        }
        Ok(())
    }
}

const ROLES: [&str; 8] = ["op", "init", "idle", "background", "invariant", "allowed", "never", "always"];

/// Removes the attribute of cspec from a method and returns it.
fn take_role(attributes: &mut Vec<Attribute>) -> Result<Option<(&'static str, Attribute)>> {
    let role_of = |attribute: &Attribute| ROLES.into_iter().find(|role| attribute.path().is_ident(role));
    let Some(at) = attributes.iter().position(|attribute| role_of(attribute).is_some()) else {
        return Ok(None);
    };
    let attribute = attributes.remove(at);
    if let Some(second) = attributes.iter().find(|attribute| role_of(attribute).is_some()) {
        return Err(Error::new_spanned(second, "a method has one role"));
    }
    Ok(role_of(&attribute).map(|role| (role, attribute)))
}

/// Whether `#[op(…)]` says `external`; mover claims are for `cargo cspec`, here they only have to be known words.
fn is_external(attribute: &Attribute) -> Result<bool> {
    if let syn::Meta::Path(_) = attribute.meta {
        return Ok(false);
    }
    let words = attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
    for word in &words {
        if !["right", "left", "both", "non", "external"].iter().any(|known| word == known) {
            let message = "expected `right`, `left`, `both`, `non` or `external`";
            return Err(Error::new_spanned(word, message));
        }
    }
    if words.len() > 1 {
        return Err(Error::new_spanned(&words, "one claim at most; an external operation is never a mover"));
    }
    Ok(words.iter().any(|word| word == "external"))
}

fn external_body(method: &ImplItemFn) -> Result<Expr> {
    if let [Stmt::Expr(Expr::Call(call), None)] = method.block.stmts.as_slice()
        && call.args.is_empty()
        && matches!(&*call.func, Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "external"))
    {
        return Ok(Expr::Call(call.clone()));
    }
    Err(Error::new_spanned(&method.block, "the body of an external operation is `external()`"))
}

/// Reads the signature of an operation. In a layer it takes `me`; in a bottom it does not.
pub fn operation(method: &mut ImplItemFn, with_me: bool) -> Result<Operation> {
    let signature = &method.sig;
    let by_mut = match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => receiver.reference.is_some() && receiver.mutability.is_some(),
        _ => false,
    };
    if !by_mut {
        return Err(Error::new_spanned(&signature.ident, "an operation takes `&mut self`"));
    }
    if let Some(first) = signature.generics.params.first() {
        return Err(Error::new_spanned(first, "an operation has no type parameters"));
    }
    let output = match &signature.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    let attributes = method.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect();
    let name = signature.ident.clone();
    let arguments = if with_me { arguments(method)?.1 } else { typed(method.sig.inputs.iter().skip(1)) };
    for (_, ty) in &arguments {
        if let Type::Reference(reference) = ty {
            return Err(Error::new_spanned(reference, "an operation takes its arguments by value"));
        }
    }
    Ok(Operation { attributes, name, arguments, output, external: None, stateless: None })
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == "self" || name == "Self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The parameter `me`, and the parameters after it. A use of `me` is added to the body, so that rustc does not warn if it is unused.
fn arguments(method: &mut ImplItemFn) -> Result<(Ident, Vec<(Ident, Type)>)> {
    let me = match method.sig.inputs.iter().nth(1) {
        Some(FnArg::Typed(typed)) => match &*typed.pat {
            Pat::Ident(name) if name.ident == "me" || name.ident == "_me" => Some(name.ident.clone()),
            _ => None,
        },
        _ => None,
    };
    let Some(me) = me else {
        return Err(Error::new_spanned(&method.sig.ident, "the first parameter after `self` is `me: Pid`"));
    };
    method.block.stmts.insert(0, parse_quote!(let _ = #me;));
    Ok((me, typed(method.sig.inputs.iter().skip(2))))
}

/// The names and types of parameters; a pattern is named by its position.
fn typed<'a>(inputs: impl Iterator<Item = &'a FnArg>) -> Vec<(Ident, Type)> {
    let typed = inputs.filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let named = typed.enumerate().map(|(place, typed)| match &*typed.pat {
        Pat::Ident(name) => (name.ident.clone(), (*typed.ty).clone()),
        _ => (quote::format_ident!("argument{}", place), (*typed.ty).clone()),
    });
    named.collect()
}
