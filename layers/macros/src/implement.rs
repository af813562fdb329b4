//! `#[implement]`: generates a struct over any type that performs the lower layer; the struct performs the upper layer.
//!
//! Below the top of a partition, everything serves one key at a time (`cspec::Select`), down to the
//! bottom of the partition, which holds the key.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, ImplItem, ImplItemFn, ItemImpl, Path, Result, ReturnType, Signature, Token, Type,
    Visibility, parenthesized, parse_quote, parse2,
};

use crate::names::hidden;

/// The arguments of `#[implement(…)]`.
struct Args {
    upper: Path,
    lower: Path,
    pattern: Ident,
    /// The operation of `check = op`, with `partition`.
    check: Option<Ident>,
    pass: Vec<Ident>,
}

const EXPECTED: &str = "expected `over = Lower`, `by = PATTERN`, `check = operation` or `pass(…)`";
const PATTERNS: &str = "expected `movers`, `retry`, `abstraction`, `partition(key)` or `search`";

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let upper = Path::parse_mod_style(input)?;
        let (mut lower, mut pattern, mut check, mut pass) = (None, None, None, Vec::new());
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
                "check" => {
                    input.parse::<Token![=]>()?;
                    check = Some(input.parse::<Ident>()?);
                }
                "pass" => {
                    let inside;
                    parenthesized!(inside in input);
                    pass.extend(Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?);
                }
                _ => {
                    return Err(Error::new_spanned(word, EXPECTED));
                }
            }
        }
        let lower = lower.ok_or_else(|| Error::new_spanned(&upper, "over which layer? Write `over = Lower`"))?;
        let pattern = pattern.ok_or_else(|| Error::new_spanned(&upper, "by which pattern? Write `by = movers`"))?;
        match (&check, pattern == "partition") {
            (None, true) => {
                let message = "which operation asks whether a key is valid? Write `check = operation`";
                return Err(Error::new_spanned(pattern, message));
            }
            (Some(op), false) => return Err(Error::new_spanned(op, "`check` belongs to `by = partition(key)`")),
            _ => {}
        }
        Ok(Args { upper, lower, pattern, check, pass })
    }
}

fn by(input: ParseStream<'_>) -> Result<Ident> {
    let pattern: Ident = input.parse()?;
    match pattern.to_string().as_str() {
        "movers" | "retry" | "abstraction" | "search" => {}
        "partition" => {
            let key;
            parenthesized!(key in input);
            key.parse::<Ident>()?;
        }
        _ => return Err(Error::new_spanned(pattern, PATTERNS)),
    }
    Ok(pattern)
}

/// The native forms of an implementation.
enum Form {
    /// Procedures, for the operations that are not passed on.
    Procedures,
    /// Every operation is passed on.
    Abstraction,
    /// The top of a partition: an operation with a key becomes the operation of that key.
    Top,
    /// The bottom of a partition: every procedure takes the key, of this type.
    Bottom(Box<Type>),
}

pub fn implement(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let args: Args = parse2(args)?;
    let item: ItemImpl = parse2(item)?;
    let name = name_of(&item)?;
    let (mut functions, mut procedures, mut relations) = (Vec::new(), Vec::new(), Vec::new());
    for member in item.items {
        let ImplItem::Fn(mut function) = member else {
            return Err(Error::new_spanned(member, "an implementation consists of functions"));
        };
        if take_abstraction(&mut function.attrs) {
            function.vis = Visibility::Public(Default::default());
            function.attrs.push(parse_quote!(#[allow(dead_code)]));
            relations.push(function.sig.clone());
        } else if is_procedure(&function) {
            procedures.push(function.clone());
        }
        functions.push(function);
    }
    let form = form(&args, &name, &relations, &procedures)?;
    let holder = holder(&name, &item.attrs, &form);
    let procedures = procedures.iter().map(|function| {
        let is_called = functions.iter().any(|it| calls(it, &name, &function.sig.ident));
        if is_called {
            maybe_procedure(&args, &name, function, &form)
        } else {
            procedure(&args, &name, function, &form)
        }
    });
    let passed = args.pass.iter().map(|op| match &form {
        Form::Top => routed(&args, &name, op),
        _ => pass(&args, &name, op),
    });
    let through = matches!(form, Form::Abstraction).then(|| all_through(&name));
    let selecting = selecting(&args, &name, &form);
    let complete = complete(&args, &name, &form);
    Ok(quote! {
        #holder
        impl #name<()> { #(#functions)* }
        #(#procedures)*
        #(#passed)*
        #through
        #selecting
        #complete
    })
}

fn form(args: &Args, name: &Ident, relations: &[Signature], procedures: &[ImplItemFn]) -> Result<Form> {
    match (args.pattern.to_string().as_str(), relations) {
        ("abstraction", _) => {
            check_abstraction(args, name, relations.len(), procedures.len())?;
            Ok(Form::Abstraction)
        }
        ("partition", [relation]) => key_type(relation).map(|key| Form::Bottom(Box::new(key))),
        ("partition", []) => match procedures.first() {
            None => Ok(Form::Top),
            Some(procedure) => {
                let message = "a partition with procedures is its bottom, which needs an `#[abstraction]` function";
                Err(Error::new_spanned(&procedure.sig.ident, message))
            }
        },
        ("partition", [_, second, ..]) => Err(Error::new_spanned(&second.ident, "one `#[abstraction]` is enough")),
        (_, []) => Ok(Form::Procedures),
        (_, [relation, ..]) => {
            let message = "`#[abstraction]` belongs to `by = abstraction` or `by = partition(key)`";
            Err(Error::new_spanned(&relation.ident, message))
        }
    }
}

/// `K` of `fn slice(lo: &Lower, key: &K) -> Option<Slice>`.
fn key_type(relation: &Signature) -> Result<Type> {
    match relation.inputs.iter().nth(1) {
        Some(FnArg::Typed(typed)) => match &*typed.ty {
            Type::Reference(reference) => Ok((*reference.elem).clone()),
            other => Ok(other.clone()),
        },
        _ => Err(Error::new_spanned(relation, "write `fn slice(lo: &Lower, key: &Key) -> Option<Slice>`")),
    }
}

/// The struct of the implementation.
fn holder(name: &Ident, attributes: &[Attribute], form: &Form) -> TokenStream {
    let Form::Bottom(key) = form else {
        return quote! {
            #(#attributes)*
            #[derive(Clone, Copy, Debug, Default)]
            pub struct #name<L>(
                /// The layer below, which performs the operations that the procedures call.
                pub L,
            );
        };
    };
    quote! {
        #(#attributes)*
        #[derive(Clone, Debug, Default)]
        pub struct #name<L>(
            /// The layer below, for one key at a time.
            pub L,
            ::core::option::Option<#key>,
        );

        impl<L> #name<L> {
            /// Creates the implementation over this layer, with no key selected yet.
            pub fn new(below: L) -> Self {
                #name(below, ::core::option::Option::None)
            }
        }
    }
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

/// The implementation of one operation by a procedure.
fn procedure(args: &Args, name: &Ident, function: &ImplItemFn, form: &Form) -> TokenStream {
    let (upper, op) = (hidden(&args.upper), &function.sig.ident);
    procedure_of(args, name, function, form, &quote!(#upper::#op))
}

/// Like `procedure`, with the path of the operation's type.
fn procedure_of(args: &Args, name: &Ident, function: &ImplItemFn, form: &Form, path: &TokenStream) -> TokenStream {
    let lower = &args.lower;
    let op = &function.sig.ident;
    let selected = matches!(form, Form::Bottom(_)).then(|| quote!(, ::cspec::generated::selected(&self.1)));
    let first = if selected.is_some() { 2 } else { 1 };
    let arguments: Vec<Ident> =
        (first..function.sig.inputs.len()).map(|place| quote::format_ident!("argument{}", place)).collect();
    // An error in the procedure's type is best shown at its name.
    let here = Ident::new(&name.to_string(), op.span());
    let call = quote_spanned!(op.span()=> #here::<()>::#op(&mut self.0 #selected #(, #arguments)*));
    quote! {
        impl<L__: #lower> ::cspec::Perform<#path> for #name<L__> {
            #[inline]
            fn perform(&mut self, call__: #path) -> <#path as ::cspec::Operation>::Output {
                let (#(#arguments,)*) = ::cspec::Operation::into_args(call__);
                #call
            }
        }
    }
}

/// A function over the lower layer that other functions of the block call: the procedure of an operation, or a helper. Which one it is
/// depends on the upper layer, which a macro cannot see. So the generated code looks the name up in the upper layer first; otherwise it
/// defines an unused operation.
fn maybe_procedure(args: &Args, name: &Ident, function: &ImplItemFn, form: &Form) -> TokenStream {
    let (upper, op) = (hidden(&args.upper), &function.sig.ident);
    let first = if matches!(form, Form::Bottom(_)) { 2 } else { 1 };
    let types: Vec<&Type> = function.sig.inputs.iter().skip(first).filter_map(typed).collect();
    // An operation takes its arguments by value.
    if types.iter().any(|it| matches!(it, Type::Reference(_))) {
        return TokenStream::new();
    }
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let procedure = procedure_of(args, name, function, form, &quote!(#op));
    quote! {
        const _: () = {
            #[allow(non_camel_case_types, dead_code)]
            #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
            struct #op((#(#types,)*));

            impl ::cspec::Operation for #op {
                type Args = (#(#types,)*);
                type Output = #output;

                const NAME: &'static str = stringify!(#op);

                fn from_args(args: Self::Args) -> Self {
                    Self(args)
                }

                fn into_args(self) -> Self::Args {
                    self.0
                }
            }

            const _: () = {
                #[allow(unused_imports)]
                use #upper::*;

                #procedure
            };
        };
    }
}

fn typed(argument: &FnArg) -> Option<&Type> {
    match argument {
        FnArg::Typed(typed) => Some(&typed.ty),
        FnArg::Receiver(_) => None,
    }
}

/// Whether a function calls another of the block, as `Self::other(…)` or `Name::other(…)`.
fn calls(function: &ImplItemFn, name: &Ident, other: &Ident) -> bool {
    fn within(tokens: TokenStream, name: &Ident, other: &Ident) -> bool {
        let mut before: Vec<String> = Vec::new();
        for token in tokens {
            if let TokenTree::Group(group) = &token {
                let is_path = matches!(&before[..], [.., owner, first, second, last]
                    if (owner == "Self" || name == owner) && first == ":" && second == ":" && other == last);
                if (is_path && group.delimiter() == Delimiter::Parenthesis) || within(group.stream(), name, other) {
                    return true;
                }
            }
            before.push(token.to_string());
        }
        false
    }
    within(function.block.to_token_stream(), name, other)
}

/// The implementation of one operation that both layers share.
fn pass(args: &Args, name: &Ident, op: &Ident) -> TokenStream {
    let (upper, lower, bound) = (hidden(&args.upper), hidden(&args.lower), &args.lower);
    let forward = quote_spanned!(op.span()=>
        ::cspec::Perform::<#lower::#op>::perform(&mut self.0, ::cspec::generated::recast(op)));
    quote! {
        impl<L__: #bound> ::cspec::Perform<#upper::#op> for #name<L__> {
            #[inline]
            fn perform(&mut self, op: #upper::#op) -> <#upper::#op as ::cspec::Operation>::Output {
                #forward
            }
        }
    }
}

/// The implementation of one operation at the top of a partition: the operation of the key that it names, if any.
fn routed(args: &Args, name: &Ident, op: &Ident) -> TokenStream {
    let (upper, lower, bound) = (hidden(&args.upper), hidden(&args.lower), selected_lower(args));
    let routed = quote_spanned!(op.span()=> ::cspec::generated::route::<_, #lower::#op, _>(&mut self.0, op));
    quote! {
        impl<L__: #bound> ::cspec::Perform<#upper::#op> for #name<L__> {
            #[inline]
            fn perform(&mut self, op: #upper::#op) -> <#upper::#op as ::cspec::Operation>::Output {
                let op = #routed;
                ::cspec::Perform::<#lower::#op>::perform(&mut self.0, op)
            }
        }
    }
}

/// The lower layer, for one key at a time. `check` asks about a key.
fn selected_lower(args: &Args) -> TokenStream {
    let (upper, lower, check) = (hidden(&args.upper), &args.lower, &args.check);
    quote!(#lower + ::cspec::Select<
        Key = <<#upper::#check as ::cspec::Operation>::Args as ::cspec::generated::One>::Only,
    >)
}

/// Passes every operation on unchanged.
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

/// How a key is selected and checked: the top asks the layer below, the bottom holds the key, other forms pass it down.
fn selecting(args: &Args, name: &Ident, form: &Form) -> TokenStream {
    let (upper, lower, check) = (hidden(&args.upper), hidden(&args.lower), &args.check);
    match form {
        Form::Procedures | Form::Abstraction => quote! {
            impl<L__: ::cspec::Select> ::cspec::Select for #name<L__> {
                type Key = L__::Key;

                #[inline]
                fn select(&mut self, key: L__::Key) {
                    ::cspec::Select::select(&mut self.0, key);
                }

                #[inline]
                fn is_valid(&mut self, key: L__::Key) -> bool {
                    ::cspec::Select::is_valid(&mut self.0, key)
                }
            }
        },
        Form::Top => {
            let bound = selected_lower(args);
            quote! {
                impl<L__: #bound> ::cspec::Perform<#upper::#check> for #name<L__> {
                    #[inline]
                    fn perform(&mut self, op: #upper::#check) -> bool {
                        let (key,) = ::cspec::Operation::into_args(op);
                        ::cspec::Select::is_valid(&mut self.0, key)
                    }
                }
            }
        }
        Form::Bottom(key) => {
            let bound = &args.lower;
            quote! {
                impl<L__: #bound> ::cspec::Select for #name<L__> {
                    type Key = #key;

                    #[inline]
                    fn select(&mut self, key: #key) {
                        self.1 = ::core::option::Option::Some(key);
                    }

                    #[inline]
                    fn is_valid(&mut self, key: #key) -> bool {
                        let op = <#lower::#check as ::cspec::Operation>::from_args((key,));
                        ::cspec::Perform::<#lower::#check>::perform(&mut self.0, op)
                    }
                }
            }
        }
    }
}

/// A function that compiles only if every operation of the upper layer is implemented.
fn complete(args: &Args, name: &Ident, form: &Form) -> TokenStream {
    let upper = &args.upper;
    let lower = match form {
        Form::Top => selected_lower(args),
        _ => args.lower.to_token_stream(),
    };
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
        assert!(implement(quote!(Up, over = Lo, by = partition(user), check = has, pass(list)), empty()).is_ok());
        assert!(message(quote!(Up, over = Lo, by = partition(user)), empty()).contains("whether a key is valid"));
        assert!(message(quote!(Up, over = Lo, by = movers, check = has), empty()).contains("belongs to"));
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
    fn partitions() {
        let by_partition = || quote!(Up, over = Lo, by = partition(user), check = has);
        let slice = quote!(
            #[abstraction]
            fn slice(lo: &Merged, user: &User) -> Option<Tree> {
                lo.of(user)
            }
        );
        let read = quote!(
            fn read(lo: &mut impl Lo, user: User, name: String) -> bool {
                lo.read(user, name)
            }
        );
        assert!(implement(by_partition(), quote!(impl Name { #slice #read })).is_ok());
        assert!(message(by_partition(), quote!(impl Name { #read })).contains("needs an `#[abstraction]`"));
        let keyless = quote!(
            #[abstraction]
            fn slice(lo: &Merged) -> Option<Tree> {
                lo.of()
            }
        );
        assert!(message(by_partition(), quote!(impl Name { #keyless })).contains("key: &Key"));
    }

    #[test]
    fn the_name_is_new() {
        assert!(message(quote!(Up, over = Lo, by = movers), quote!(impl Up for Name {})).contains("`impl Name`"));
    }
}
