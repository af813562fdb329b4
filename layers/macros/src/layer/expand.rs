//! The native meaning of a layer: a hidden module with a type for each operation, a trait to call them by, and the executable
//! model as implementations of `cspec::Layer` and `cspec::Spec` for `dyn Name`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ImplItemFn, Pat, Path, Type, Visibility, parse_quote};

use super::parse::{Allowed, Base, Declaration, Inherited, Operation};
use crate::names::{call_trait, hidden, keyed_trait, one_deeper, type_one_deeper};

pub fn expand(layer: &Declaration) -> TokenStream {
    let hidden_module = hidden_module(layer);
    let calling_trait = calling_trait(layer);
    let body_trait = body_trait(layer);
    let whole = whole_layer(layer);
    let specs = match &layer.base {
        Base::Protocol { layer: below, nilpotent } => restricted(layer, below, *nilpotent),
        Base::Own | Base::Ops(_) => {
            let own = layer.operations.iter().map(|op| own_spec(layer, op));
            let inherited = layer.inherited.iter().map(|op| inherited_spec(layer, op));
            quote!(#(#own)* #(#inherited)*)
        }
    };
    let complete = complete(layer);
    quote! {
        #hidden_module
        #calling_trait
        const _: () = {
            #body_trait
            #whole
            #specs
            #complete
        };
    }
}

fn module_name(layer: &Declaration) -> Ident {
    format_ident!("__{}", layer.name)
}

/// `pub mod __Name`: the operations of the layer, declared here or passed on from elsewhere.
fn hidden_module(layer: &Declaration) -> TokenStream {
    let module = module_name(layer);
    let items = match &layer.base {
        Base::Ops(other) | Base::Protocol { layer: other, .. } => {
            let other = one_deeper(&hidden(other));
            quote!(pub use #other::*;)
        }
        Base::Own => {
            let all = all_ops(layer);
            let operations = layer.operations.iter().map(|op| operation_items(op, &all));
            let inherited = layer.inherited.iter().map(inherited_items);
            quote! {
                use super::*;
                #(#inherited)*
                #(#operations)*
                /// Implemented if every operation of the layer has a meaning.
                pub trait __Complete<S__>: #(::cspec::Spec<#all, S__> +)* {}
                impl<S__, T__: ?Sized #(+ ::cspec::Spec<#all, S__>)*> __Complete<S__> for T__ {}
            }
        }
    };
    quote! {
        #[doc(hidden)]
        #[allow(non_snake_case, non_camel_case_types, unused_imports)]
        pub mod #module { #items }
    }
}

fn all_ops(layer: &Declaration) -> Vec<&Ident> {
    layer.operations.iter().map(|op| &op.name).chain(layer.inherited.iter().map(|op| &op.op)).collect()
}

/// The type of an inherited operation, and the traits with its method.
fn inherited_items(inherited: &Inherited) -> TokenStream {
    let other = one_deeper(&hidden(&inherited.layer));
    let op = &inherited.op;
    let (call, keyed) = (call_trait(op), keyed_trait(op));
    let Some(key) = &inherited.component.key else {
        return quote!(pub use #other::{#op, #call, #keyed};);
    };
    let key = type_one_deeper(key);
    quote! {
        pub type #op = ::cspec::Keyed<#key, #other::#op>;
        pub trait #call: #other::#keyed<#key> {}
        impl<T__: #other::#keyed<#key>> #call for T__ {}
        /// An operation takes one key.
        pub trait #keyed<K__> {}
    }
}

/// The type of an operation, and the traits with its method. A parameter cannot have the name of an operation here, since that names a type
/// with a constructor.
fn operation_items(op: &Operation, all: &[&Ident]) -> TokenStream {
    let Operation { attributes, name, .. } = op;
    let (call, keyed) = (call_trait(name), keyed_trait(name));
    let text = name.to_string();
    let free = |name: &Ident| if all.contains(&name) { format_ident!("{}__", name) } else { name.clone() };
    let names: Vec<Ident> = op.arguments.iter().map(|(name, _)| free(name)).collect();
    let types: Vec<_> = op.arguments.iter().map(|(_, ty)| type_one_deeper(ty)).collect();
    let output = type_one_deeper(&op.output);
    quote! {
        #(#attributes)*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct #name(pub (#(#types,)*));

        impl ::cspec::Operation for #name {
            type Args = (#(#types,)*);
            type Output = #output;
            const NAME: &'static str = #text;

            #[inline]
            fn from_args(args: Self::Args) -> Self {
                #name(args)
            }

            #[inline]
            fn into_args(self) -> Self::Args {
                self.0
            }
        }

        pub trait #call: ::cspec::Perform<#name> {
            #(#attributes)*
            fn #name(&mut self #(, #names: #types)*) -> #output;
        }

        impl<T__: ::cspec::Perform<#name>> #call for T__ {
            #[inline]
            fn #name(&mut self #(, #names: #types)*) -> #output {
                ::cspec::Perform::<#name>::perform(self, #name((#(#names,)*)))
            }
        }

        pub trait #keyed<K__>: ::cspec::Perform<::cspec::Keyed<K__, #name>>
        where
            ::cspec::Keyed<K__, #name>: ::cspec::Operation<Output = #output>,
        {
            #(#attributes)*
            fn #name(&mut self, key__: K__ #(, #names: #types)*) -> #output;
        }

        impl<K__: ::cspec::Value, T__: ::cspec::Perform<::cspec::Keyed<K__, #name>>> #keyed<K__> for T__ {
            #[inline]
            fn #name(&mut self, key__: K__ #(, #names: #types)*) -> #output {
                let op = #name((#(#names,)*));
                ::cspec::Perform::<::cspec::Keyed<K__, #name>>::perform(self, ::cspec::Keyed { key: key__, op })
            }
        }
    }
}

/// `pub trait Name`: implemented by types that perform all operations of the layer.
fn calling_trait(layer: &Declaration) -> TokenStream {
    let Declaration { attributes, name, .. } = layer;
    let module = module_name(layer);
    let (bounds, exports) = match &layer.base {
        Base::Ops(other) | Base::Protocol { layer: other, .. } => (quote!(#other), TokenStream::new()),
        Base::Own => {
            let calls: Vec<Ident> = all_ops(layer).into_iter().map(call_trait).collect();
            let keyed = layer.inherited.iter().filter(|it| it.component.key.is_some()).map(|inherited| {
                let (other, keyed) = (hidden(&inherited.layer), keyed_trait(&inherited.op));
                quote! {
                    #[doc(hidden)]
                    #[allow(unused_imports)]
                    pub use #other::#keyed as _;
                }
            });
            let exports = quote! {
                #[doc(hidden)]
                #[allow(unused_imports)]
                pub use #module::{#(#calls as _),*};
                #(#keyed)*
            };
            (quote!(#(#module::#calls)+*), exports)
        }
    };
    quote! {
        #(#attributes)*
        pub trait #name: #bounds {}
        impl<T__: #bounds> #name for T__ {}
        #exports
    }
}

/// The methods as the user wrote them, in a separate trait: several layers over one state may use the same names.
fn body_trait(layer: &Declaration) -> TokenStream {
    let state = &layer.state;
    let signatures = layer.bodies.iter().map(signature);
    let bodies = layer.bodies.iter().map(|method| {
        let mut method = method.clone();
        method.vis = Visibility::Inherited;
        method
    });
    quote! {
        // A name for the state with tokens that are not the user's, for errors that point elsewhere.
        #[allow(dead_code)]
        type __State = #state;
        #[allow(dead_code)]
        trait __Body { #(#signatures)* }
        impl __Body for #state { #(#bodies)* }
    }
}

fn signature(method: &ImplItemFn) -> TokenStream {
    let mut signature = method.sig.clone();
    for (place, input) in signature.inputs.iter_mut().enumerate() {
        if let FnArg::Typed(typed) = input {
            *typed.pat = match &*typed.pat {
                Pat::Ident(name) => {
                    let name = &name.ident;
                    parse_quote!(#name)
                }
                _ => {
                    let name = format_ident!("argument{}", place);
                    parse_quote!(#name)
                }
            };
        }
    }
    quote!(#signature;)
}

/// `impl cspec::Layer for dyn Name`.
fn whole_layer(layer: &Declaration) -> TokenStream {
    let Declaration { name, state, .. } = layer;
    let protocol = match &layer.base {
        Base::Protocol { layer, .. } => Some(layer),
        Base::Own | Base::Ops(_) => None,
    };
    let init = match (&layer.init, &layer.inherited_init, protocol) {
        (Some(init), _, _) => quote!(<#state as __Body>::#init(state)),
        (None, Some((other, component)), _) => {
            let fields = &component.fields;
            match component.key {
                Some(_) => quote!(state #(.#fields)* .values().all(<dyn #other as ::cspec::Layer>::is_initial)),
                None => quote!(<dyn #other as ::cspec::Layer>::is_initial(&state #(.#fields)*)),
            }
        }
        (None, None, Some(other)) => quote!(<dyn #other as ::cspec::Layer>::is_initial(state)),
        (None, None, None) => quote!({
            let _ = state;
            true
        }),
    };
    let below = protocol.map(|other| quote!(<dyn #other as ::cspec::Layer>::background(state);));
    let own = layer.background.as_ref().map(|own| quote!(<#state as __Body>::#own(state);));
    let invariants = &layer.invariants;
    let holds_below = protocol.map(|other| quote!(&& <dyn #other as ::cspec::Layer>::holds(state)));
    quote! {
        impl ::cspec::Layer for dyn #name {
            type State = #state;

            fn is_initial(state: &#state) -> bool { #init }

            fn background(state: &mut #state) {
                let _ = &state;
                #below
                #own
            }

            fn holds(state: &#state) -> bool {
                let _ = state;
                true #(&& <#state as __Body>::#invariants(state))* #holds_below
            }
        }
    }
}

/// The meaning of an operation of the layer itself.
fn own_spec(layer: &Declaration, op: &Operation) -> TokenStream {
    let Declaration { name: layer_name, state, .. } = layer;
    let name = &op.name;
    let module = module_name(layer);
    let module = quote_spanned!(name.span()=> #module);
    if let Some(body) = &op.external {
        return quote! {
            impl<S__: 'static> ::cspec::Spec<#module::#name, S__> for dyn #layer_name {
                fn step(_: &mut S__, me: ::cspec::Pid, op: #module::#name) -> <#module::#name as ::cspec::Operation>::Output {
                    ::cspec::generated::external_step(me, &op, #body)
                }
            }
        };
    }
    let arguments: Vec<Ident> = (0..op.arguments.len()).map(|place| format_ident!("argument{}", place)).collect();
    if let Some(method) = &op.stateless {
        let inputs = method.sig.inputs.iter().skip(1);
        let (output, block) = (&op.output, &method.block);
        return quote! {
            impl<S__: 'static> ::cspec::Spec<#module::#name, S__> for dyn #layer_name {
                fn step(_: &mut S__, me: ::cspec::Pid, op: #module::#name) -> <#module::#name as ::cspec::Operation>::Output {
                    fn step(#(#inputs),*) -> #output #block
                    let (#(#arguments,)*) = op.0;
                    step(me #(, #arguments)*)
                }
            }
        };
    }
    let call = quote_spanned!(name.span()=> <__State as __Body>::#name(state, me #(, #arguments)*));
    quote! {
        impl ::cspec::Spec<#module::#name, #state> for dyn #layer_name {
            fn step(state: &mut #state, me: ::cspec::Pid, op: #module::#name) -> <#module::#name as ::cspec::Operation>::Output {
                let (#(#arguments,)*) = op.0;
                #call
            }
        }
    }
}

/// The meaning of an inherited operation: its meaning elsewhere, over the same state or over a component.
fn inherited_spec(layer: &Declaration, inherited: &Inherited) -> TokenStream {
    let Declaration { name, state, .. } = layer;
    let Inherited { layer: other, component, op } = inherited;
    let here = module_name(layer);
    let there = hidden(other);
    let output = quote!(<#here::#op as ::cspec::Operation>::Output);
    let fields = &component.fields;
    if fields.is_empty() {
        return quote! {
            impl<S__: 'static> ::cspec::Spec<#here::#op, S__> for dyn #name
            where
                dyn #other: ::cspec::Spec<#there::#op, S__>,
            {
                fn step(state: &mut S__, me: ::cspec::Pid, op: #here::#op) -> #output {
                    let op = ::cspec::generated::recast(op);
                    <dyn #other as ::cspec::Spec<#there::#op, S__>>::step(state, me, op)
                }
            }
        };
    }
    let acted_on = match &component.key {
        None => quote! {
            let op: #there::#op = ::cspec::generated::recast(op);
            let component = &mut state #(.#fields)*;
        },
        Some(key) => quote! {
            let args = ::cspec::Operation::into_args(op);
            let (key, args) =
                <<#there::#op as ::cspec::Operation>::Args as ::cspec::generated::Arguments>::split::<#key>(args);
            let op = <#there::#op as ::cspec::Operation>::from_args(args);
            let component = ::cspec::generated::entry(&mut state #(.#fields)*, &key);
        },
    };
    quote! {
        impl ::cspec::Spec<#here::#op, #state> for dyn #name {
            fn step(state: &mut #state, me: ::cspec::Pid, op: #here::#op) -> #output {
                #acted_on
                ::cspec::generated::step_in::<dyn #other, _, _>(component, me, op)
            }
        }
    }
}

/// The meaning of every operation of a protocol layer: its meaning below, restricted to where it is allowed.
fn restricted(layer: &Declaration, below: &Path, nilpotent: bool) -> TokenStream {
    let Declaration { name, state, .. } = layer;
    let rules = layer.allowed.iter().flat_map(|rule| rule.ops.iter().map(move |op| allowed_rule(layer, rule, op)));
    let otherwise = if nilpotent { quote!(return ::cspec::any()) } else { quote!(::cspec::when(false)) };
    quote! {
        fn allowed(state: &#state, me: ::cspec::Pid, op: &dyn ::core::any::Any) -> bool {
            let _ = (state, me, op);
            #(#rules)*
            true
        }

        impl<O__: ::cspec::Operation, S__: 'static> ::cspec::Spec<O__, S__> for dyn #name
        where
            dyn #below: ::cspec::Spec<O__, S__>,
        {
            fn step(state: &mut S__, me: ::cspec::Pid, op: O__) -> O__::Output {
                // An external operation inherited over another state does not read the state.
                if let ::core::option::Option::Some(state) = (state as &dyn ::core::any::Any).downcast_ref::<#state>() {
                    if !allowed(state, me, &op) {
                        #otherwise;
                    }
                }
                <dyn #below as ::cspec::Spec<O__, S__>>::step(state, me, op)
            }
        }
    }
}

fn allowed_rule(layer: &Declaration, rule: &Allowed, op: &Ident) -> TokenStream {
    let module = module_name(layer);
    let name = &rule.name;
    let spans = rule.arguments.iter().map(Spanned::span).enumerate();
    let places: Vec<Ident> = spans.map(|(place, span)| format_ident!("argument{}", place, span = span)).collect();
    let passed = rule.arguments.iter().zip(&places).map(|(ty, place)| match ty {
        Type::Reference(_) => quote!(&#place),
        _ => quote!(#place),
    });
    // A rule may take fewer arguments than the operation: its first few.
    let taken = (!places.is_empty())
        .then(|| quote!(let (#(#places,)*) = ::cspec::generated::Leading::of(::cspec::Operation::into_args(op));));
    let call = quote_spanned!(name.span()=> <__State as __Body>::#name(state, me #(, #passed)*));
    quote! {
        if let ::core::option::Option::Some(op) = ::cspec::generated::call_of::<#module::#op>(op) {
            let _ = &op;
            #taken
            if !#call {
                return false;
            }
        }
    }
}

/// A check that every operation has a meaning over the state; the error points at the missing one.
fn complete(layer: &Declaration) -> TokenStream {
    let Declaration { name, state, .. } = layer;
    let module = module_name(layer);
    let span = match &layer.base {
        Base::Ops(other) | Base::Protocol { layer: other, .. } => other.span(),
        Base::Own => name.span(),
    };
    let whole = quote_spanned!(span=> let _ = has_all::<dyn #name>;);
    let inherited = layer.inherited.iter().map(|inherited| {
        let op = &inherited.op;
        quote_spanned!(op.span()=> let _ = has::<dyn #name, #module::#op>;)
    });
    quote! {
        #[allow(dead_code)]
        fn complete() {
            fn has_all<L__: ?::core::marker::Sized + #module::__Complete<#state>>() {}
            fn has<L__: ?::core::marker::Sized + ::cspec::Spec<O__, #state>, O__: ::cspec::Operation>() {}
            #(#inherited)*
            #whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer;
    use super::*;

    fn message(args: TokenStream, item: TokenStream) -> String {
        layer(args, item).expect_err("this must not be accepted").to_string()
    }

    fn one(method: TokenStream) -> TokenStream {
        quote!(impl Deliver for Spool { #method })
    }

    #[test]
    fn arguments_of_the_attribute() {
        let empty = || one(TokenStream::new());
        assert!(layer(quote!(inherit(Other: init, list), ops = Third), empty()).is_ok());
        assert!(message(quote!(inherits(Other: list)), empty()).starts_with("expected `inherit(…)`"));
        assert!(message(quote!(nilpotent), empty()).contains("belongs to `protocol"));
        assert!(message(quote!(ops = A, protocol = B), empty()).contains("not both"));
        assert!(message(quote!(ops = A, ops = B), empty()).contains("twice"));
        assert!(message(quote!(inherit(Other:)), empty()).contains("which operations?"));
        assert!(message(quote!(protocol = A, inherit(Other: list)), empty()).contains("nothing to inherit"));
        assert!(message(quote!(inherit(A: list), inherit(B: list)), empty()).contains("has a meaning already"));
    }

    #[test]
    fn methods() {
        let nothing = TokenStream::new;
        let rejected = |method| message(nothing(), one(method));
        assert!(
            rejected(quote!(
                #[op]
                fn lock(&self, me: Pid) {}
            ))
            .contains("`&mut self`")
        );
        assert!(
            rejected(quote!(
                #[op]
                fn lock(&mut self) {}
            ))
            .contains("`me: Pid`")
        );
        assert!(
            rejected(quote!(
                #[op(rihgt)]
                fn lock(&mut self, me: Pid) {}
            ))
            .starts_with("expected `right`")
        );
        assert!(
            rejected(quote!(
                #[op]
                fn lock(&mut self, me: Pid, name: &str) {}
            ))
            .contains("by value")
        );
        assert!(
            rejected(quote!(
                #[op(external)]
                fn print(&mut self, me: Pid) {
                    1
                }
            ))
            .contains("`external()`")
        );
        assert!(
            rejected(quote!(
                #[op]
                #[init]
                fn lock(&mut self, me: Pid) {}
            ))
            .contains("one role")
        );
        assert!(
            rejected(quote!(
                #[allowed(lock)]
                fn rule(&self, me: Pid) -> bool {
                    true
                }
            ))
            .contains("`protocol")
        );
        assert!(
            rejected(quote!(
                const N: u64 = 1;
            ))
            .contains("functions")
        );
        let in_protocol = message(
            quote!(protocol = A),
            one(quote!(
                #[op]
                fn lock(&mut self, me: Pid) {}
            )),
        );
        assert!(in_protocol.contains("has the operations of its layer"));
    }

    #[test]
    fn a_layer_is_a_trait_for_a_state() {
        assert!(message(TokenStream::new(), quote!(impl Spool {})).contains("`impl Layer for State`"));
    }
}
