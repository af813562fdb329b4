//! Types as written, and the definitions of user types. A fault in one is reported only if a layer refers to it.

use std::borrow::Borrow;

use super::{
    declared::{Declared, ItemRef, Site},
    lowering::{Lowering, Package, Touch, Trace},
    names::{Entry, Meaning, Namespace},
    report::{DiagnosticExt, error},
    spot::Spot,
    ty::{Con, Infer, MOST_PARTS, TOO_LARGE, Ty},
};
use crate::{
    diagnostics::codes,
    index::{TypeKind, path_segments},
    ir::{Field, SMALL_BITS, Type, TypeDef, TypeDefKind, TypeId, Variant},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs, HasGenericParams, HasName},
    },
};

/// A user type, as far as its definition has been read.
#[derive(Clone, Debug)]
pub(super) struct TypeInfo {
    /// The item that declares it.
    pub(super) item: ItemRef,
    pub(super) name: String,
    pub(super) kind: TypeInfoKind,
    /// The variant of an enum that has `#[default]`, if there is one.
    pub(super) default_variant: Option<String>,
    /// The references and faults of its definition.
    pub(super) trace: Trace,
}

/// The kind of a user type, with its parts.
#[derive(Clone, Debug)]
pub(super) enum TypeInfoKind {
    /// A scalar, with the text of the literal that is its default, if it has one.
    Scalar(Option<String>),
    Struct(Vec<(String, Ty)>),
    Enum(Vec<VariantInfo>),
}

/// A type whose default is not read.
pub(super) struct NotRead {
    pub(super) name: String,
    pub(super) why: WhyNotRead,
}

/// Why the default of a type is not read.
#[derive(Clone, Copy)]
pub(super) enum WhyNotRead {
    NotDerived,
    /// It is a scalar around something else than a number or a string.
    Scalar,
}

impl WhyNotRead {
    pub(super) fn text(self) -> &'static str {
        match self {
            WhyNotRead::NotDerived => "is not derived",
            WhyNotRead::Scalar => "is not read, since it is a scalar around neither a number nor a string",
        }
    }
}

/// A variant of a user enum.
#[derive(Clone, Debug)]
pub(super) struct VariantInfo {
    pub(super) name: String,
    pub(super) fields: Vec<(String, Ty)>,
}

impl TypeInfo {
    /// A type whose definition has not been read yet.
    pub(super) fn undefined(item: ItemRef, name: String) -> TypeInfo {
        TypeInfo { item, name, kind: TypeInfoKind::Struct(Vec::new()), default_variant: None, trace: Trace::default() }
    }

    pub(super) fn definition(&self) -> TypeDef {
        // A field with an invalid type is reported, and no layer has such a state.
        let field = |(name, ty): &(String, Ty)| Field { name: name.clone(), ty: ty.to_type().unwrap_or(Type::UNIT) };
        let fields = |fields: &[(String, Ty)]| fields.iter().map(field).collect();
        let kind = match &self.kind {
            TypeInfoKind::Scalar(_) => TypeDefKind::Scalar,
            TypeInfoKind::Struct(it) => TypeDefKind::Struct(fields(it)),
            TypeInfoKind::Enum(variants) => TypeDefKind::Enum(
                variants.iter().map(|it| Variant { name: it.name.clone(), fields: fields(&it.fields) }).collect(),
            ),
        };
        let default = match &self.kind {
            TypeInfoKind::Scalar(default) => default.clone(),
            _ => self.default_variant.clone(),
        };
        TypeDef { name: self.name.clone(), kind, default }
    }

    fn all_fields(&self) -> impl Iterator<Item = &Ty> {
        let (own, variants) = match &self.kind {
            TypeInfoKind::Scalar(_) => (&[][..], &[][..]),
            TypeInfoKind::Struct(fields) => (fields.as_slice(), &[][..]),
            TypeInfoKind::Enum(variants) => (&[][..], variants.as_slice()),
        };
        own.iter().chain(variants.iter().flat_map(|it| &it.fields)).map(|(_, ty)| ty)
    }
}

impl Package {
    /// Reads all type definitions. A fault in one is reported only if a layer refers to it.
    pub(super) fn define_types(&mut self) {
        for id in 0..self.types.len() {
            let item = self.types[id].item;
            let declared = &self.files[item.file as usize].index.types[item.index as usize];
            self.check_attributes(item.file, declared.scope, &declared.attributes, declared.is_derived);
            self.check_members(item);
            self.check_traits(item);
            let kind = self.definition(item, TypeId(id as u32));
            let trace = self.take_trace();
            let default_variant = self.default_variant_of(item);
            let info = &mut self.types[id];
            info.trace = trace;
            info.default_variant = default_variant;
            info.kind = kind.unwrap_or(TypeInfoKind::Struct(Vec::new()));
        }
        self.check_totals();
        self.cut_large_types();
    }

    /// Reports fields that contain a `Total` whose values have a default that is not read. All definitions must have been read.
    fn check_totals(&mut self) {
        for id in 0..self.types.len() {
            let Some(part) = self.types[id].all_fields().find_map(|it| self.total_not_read(it)) else { continue };
            let item = self.types[id].item;
            let spot = self.name_spot(item.file, &self.files[item.file as usize].index.types[item.index as usize].name);
            self.report_default(spot, &part);
            let trace = self.take_trace();
            self.types[id].trace.append(trace);
        }
    }

    /// Reports types with too many parts in total, including the parts of the types that they contain. Their components are not read.
    fn cut_large_types(&mut self) {
        let mut parts = vec![None; self.types.len()];
        for id in 0..self.types.len() {
            if self.count_parts(id, 0, &mut parts) <= MOST_PARTS {
                continue;
            }
            parts[id] = Some(1);
            let item = self.types[id].item;
            let name = &self.files[item.file as usize].index.types[item.index as usize].name;
            self.report(error(codes::CS0104, self.name_spot(item.file, name), TOO_LARGE));
            let trace = self.take_trace();
            let info = &mut self.types[id];
            info.trace.append(trace);
            let fields: Vec<&mut (String, Ty)> = match &mut info.kind {
                TypeInfoKind::Scalar(_) => Vec::new(),
                TypeInfoKind::Struct(fields) => fields.iter_mut().collect(),
                TypeInfoKind::Enum(variants) => variants.iter_mut().flat_map(|it| &mut it.fields).collect(),
            };
            fields.into_iter().for_each(|(_, ty)| *ty = Ty::UNIT);
        }
    }

    /// The parts of a user type. A type that contains itself is counted once.
    fn count_parts(&self, id: usize, depth: usize, parts: &mut [Option<usize>]) -> usize {
        if let Some(known) = parts[id] {
            return known;
        }
        if depth > MOST_PARTS {
            return depth;
        }
        parts[id] = Some(1);
        let mut count: usize = 1;
        let mut pending: Vec<&Ty> = self.types[id].all_fields().collect();
        while let Some(ty) = pending.pop() {
            count = count.saturating_add(match ty {
                Ty::Con(Con::User(id), _) => self.count_parts(id.0 as usize, depth + 1, parts),
                _ => 1,
            });
            if let Ty::Con(_, arguments) = ty {
                pending.extend(arguments);
            }
        }
        parts[id] = Some(count);
        count
    }
}

impl<D: Borrow<Declared>> Lowering<D> {
    /// The type that `ty` denotes; [`Ty::Error`] if it is invalid, which is reported.
    pub(super) fn resolve_type(&self, site: Site, ty: &ast::Type, self_type: Option<&Ty>) -> Ty {
        match ty {
            ast::Type::PathType(path) => self.path_type(site, path, self_type),
            ast::Type::ParenType(it) => it.ty().map_or(Ty::Error, |it| self.resolve_type(site, &it, self_type)),
            ast::Type::TupleType(it) => {
                let ty = Ty::tuple(it.fields().map(|it| self.resolve_type(site, &it, self_type)).collect());
                self.unless_too_large(site.spot(it.syntax()), ty)
            }
            ast::Type::RefType(it) if it.mut_token().is_none() => {
                it.ty().map_or(Ty::Error, |it| self.resolve_type(site, &it, self_type))
            }
            ast::Type::InferType(_) => Ty::Hole,
            ast::Type::NeverType(_) => Ty::NEVER,
            other => {
                let help = match other {
                    ast::Type::RefType(_) => "`&mut` works as the type of a parameter only",
                    ast::Type::ArrayType(_) | ast::Type::SliceType(_) => "use `Seq<T>`",
                    ast::Type::ImplTraitType(_) => {
                        "`&mut impl Layer` works as the type of a parameter of a procedure only"
                    }
                    _ => "use the types of the language: structs, enums, tuples, integers, `Map`, `Set`, `Seq`, …",
                };
                self.unsupported(site.spot(other.syntax()), &format!("the type `{}`", other.syntax().text()), help);
                Ty::Error
            }
        }
    }

    fn path_type(&self, site: Site, path: &ast::PathType, self_type: Option<&Ty>) -> Ty {
        let spot = site.spot(path.syntax());
        let Some(segment) = path.path().and_then(|it| it.segment()) else { return Ty::Error };
        let Some(names) = path.path().as_ref().and_then(path_segments) else {
            self.unsupported(spot, "a type of a trait", "name the type");
            return Ty::Error;
        };
        let mut arguments = Vec::new();
        for argument in segment.generic_arg_list().into_iter().flat_map(|it| it.generic_args()) {
            if let ast::GenericArg::TypeArg(it) = argument {
                arguments.extend(it.ty().map(|it| self.resolve_type(site, &it, self_type)));
            }
        }
        if names == ["Self"] {
            return self_type.cloned().unwrap_or(Ty::Error);
        }
        self.named_type(site, spot, &names, arguments)
    }

    /// The type that a path refers to.
    pub(super) fn resolve_name(&self, site: Site, spot: Spot, path: &[String]) -> Ty {
        self.named_type(site, spot, path, Vec::new())
    }

    /// The type that a path refers to, in the package or in the language.
    fn named_type(&self, site: Site, spot: Spot, path: &[String], arguments: Vec<Ty>) -> Ty {
        let name = path.join("::");
        match self.names.meaning(site.scope, path, Namespace::Types) {
            Meaning::Item(Entry::Type(item)) if arguments.is_empty() => self.user_type(item, spot),
            Meaning::Item(Entry::Type(_)) => {
                self.unsupported(
                    spot,
                    &format!("the generic type `{name}`"),
                    "write the type out for the arguments that you need",
                );
                Ty::Error
            }
            Meaning::Several(one, other) => {
                self.report_several(spot, &name, [one, other]);
                Ty::Error
            }
            meaning => {
                if let Some((None, known)) = self.language_path(site.scope, path, Namespace::Types)
                    && let Some((con, arity)) = language_con(&known)
                {
                    return self.language_type(spot, &known, con, arity, arguments);
                }
                self.unknown_type(spot, &name, &meaning);
                Ty::Error
            }
        }
    }

    fn language_type(&self, spot: Spot, name: &str, con: Con, arity: usize, arguments: Vec<Ty>) -> Ty {
        if arguments.len() != arity {
            let message = format!("`{name}` takes {arity} type arguments, not {}", arguments.len());
            self.report(error(codes::CS0104, spot, message));
            return Ty::Error;
        }
        if con == Con::Total
            && let Some(name) = arguments.last().and_then(|it| self.without_default(it))
        {
            let message = format!("a `Total` needs a default for its values, and `{name}` has none");
            let help = "derive `Default` for a `#[scalar]` of a number or a string; or use `Map<K, V>`, or an `Option` as the value";
            self.report(error(codes::CS0104, spot, message).help(help));
            return Ty::Error;
        }
        self.unless_too_large(spot, Ty::Con(con, arguments))
    }

    /// The part of a type without a default, by its name; `None` for types whose definition has not been read.
    fn without_default(&self, ty: &Ty) -> Option<String> {
        let Ty::Con(con, arguments) = ty else { return None };
        match con {
            Con::Pid => Some("Pid".to_owned()),
            Con::Result => Some("Result".to_owned()),
            Con::Ordering | Con::OutOfRange => Some(self.type_name_of(ty)),
            Con::Tuple => arguments.iter().find_map(|it| self.without_default(it)),
            Con::User(id) => {
                let info = self.type_info(*id);
                let is_scalar = {
                    let declared = &self.files[info.item.file as usize].index.types[info.item.index as usize];
                    declared.kind == TypeKind::Scalar
                };
                match &info.kind {
                    _ if is_scalar => self.default_of_scalar(info.item).is_none().then(|| info.name.clone()),
                    TypeInfoKind::Struct(fields) => fields.iter().find_map(|(_, ty)| self.without_default(ty)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The text of the literal that is the default of a scalar: that of the number or string in it. `#[scalar]` derives it.
    fn default_of_scalar(&self, item: ItemRef) -> Option<String> {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        let scalar = self.head::<ast::Struct>(item.file, declared.declaration)?;
        let Some(ast::FieldList::TupleFieldList(fields)) = scalar.field_list() else { return None };
        let field = fields.fields().next()?.ty()?;
        let ast::Type::PathType(path) = field else { return None };
        let path = path_segments(&path.path()?)?;
        let (None, name) = self.language_path(self.type_site(item).scope, &path, Namespace::Types)? else {
            return None;
        };
        match language_con(&name)?.0 {
            Con::Int { .. } => Some("0".to_owned()),
            Con::Str => Some("\"\"".to_owned()),
            _ => None,
        }
    }

    fn report_default(&self, spot: Spot, NotRead { name, why }: &NotRead) {
        let message = format!("a `Total` needs a derived default for its values, and that of `{name}` {}", why.text());
        let help = match why {
            WhyNotRead::NotDerived => "derive `Default`, or use `Map<K, V>`",
            WhyNotRead::Scalar => "use `Map<K, V>`",
        };
        self.report(error(codes::CS0104, spot, message).help(help));
    }

    fn unless_too_large(&self, spot: Spot, ty: Ty) -> Ty {
        if !Infer::default().is_too_large(&ty) {
            return ty;
        }
        self.report(error(codes::CS0104, spot, TOO_LARGE));
        Ty::Error
    }

    /// Reports a type that a layer cannot have, with what to use instead.
    fn unknown_type(&self, spot: Spot, name: &str, meaning: &Meaning) {
        let last = match meaning {
            Meaning::Elsewhere(path) => path.last().map_or(name, String::as_str),
            _ => name,
        };
        let instead = match last {
            "Vec" | "VecDeque" | "LinkedList" => "use `Seq<T>`",
            "HashMap" | "BTreeMap" => "use `Map<K, V>`",
            "HashSet" | "BTreeSet" => "use `Set<T>`",
            "u128" | "i128" | "f32" | "f64" => "use an integer of at most 64 bits",
            "char" => "use `String`, or a `#[scalar]` if only equality matters",
            "Box" | "Rc" | "Arc" | "Cell" | "RefCell" | "Mutex" => "use plain values",
            _ => "",
        };
        if !instead.is_empty() && matches!(meaning, Meaning::Nothing | Meaning::Elsewhere(_)) {
            self.unsupported(spot, &format!("the type `{last}`"), instead);
            return;
        }
        let help = match meaning {
            Meaning::Elsewhere(path) if path.len() > 1 => {
                Some(format!("`{}` is of another crate: declare the type in this package", path.join("::")))
            }
            _ => {
                let is_type = |it: &Entry| matches!(it, Entry::Type(_));
                self.advice(name, Namespace::Types, is_type, LANGUAGE_TYPES.iter().copied())
            }
        };
        self.report(error(codes::CS0103, spot, format!("unknown type `{name}`")).maybe_help(help));
    }

    /// The type that an item declares.
    pub(super) fn user_type(&self, item: ItemRef, spot: Spot) -> Ty {
        let Some(id) = self.type_ids.get(&item).copied() else { return self.alias(item, spot) };
        self.touch(Touch::Type(id));
        Ty::user(id)
    }

    fn alias(&self, item: ItemRef, spot: Spot) -> Ty {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        let Some(alias) = self.head::<ast::TypeAlias>(item.file, declared.declaration) else { return Ty::Error };
        let followed = self.aliases_followed.get();
        if followed > MOST_ALIASES {
            return Ty::Error;
        }
        self.aliases_followed.set(followed + 1);
        if followed == MOST_ALIASES {
            self.report(error(codes::CS0104, spot, TOO_LARGE));
            return Ty::Error;
        }
        if self.alias_depth.get() > 32 {
            self.report(error(codes::CS0206, spot, "this type alias refers to itself"));
            return Ty::Error;
        }
        if alias.generic_param_list().is_some() {
            self.unsupported(spot, "a generic type alias", "write the type out");
            return Ty::Error;
        }
        self.alias_depth.set(self.alias_depth.get() + 1);
        let site = self.type_site(item);
        let ty = alias.ty().map_or(Ty::Error, |it| self.resolve_type(site, &it, None));
        self.alias_depth.set(self.alias_depth.get() - 1);
        ty
    }

    /// The definition of a type; `None` if the text does not say.
    fn definition(&self, item: ItemRef, id: TypeId) -> Option<TypeInfoKind> {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        let site = self.type_site(item);
        let spot = self.name_spot(item.file, &declared.name);
        let own = Ty::user(id);
        if let Some(it) = self.head::<ast::Struct>(item.file, declared.declaration) {
            self.reject_generics(&it, spot);
            if declared.kind == TypeKind::Scalar {
                self.check_scalar(site, &it, spot);
                return Some(TypeInfoKind::Scalar(self.default_of_scalar(item)));
            }
            return Some(TypeInfoKind::Struct(self.fields(site, it.field_list(), &own)));
        }
        let it = self.head::<ast::Enum>(item.file, declared.declaration)?;
        self.reject_generics(&it, spot);
        self.check_discriminants(site, &it);
        let variant = |it: ast::Variant| {
            let name = it.name().map(|it| it.text().to_string()).unwrap_or_default();
            VariantInfo { name, fields: self.fields(site, it.field_list(), &own) }
        };
        Some(TypeInfoKind::Enum(it.variant_list().into_iter().flat_map(|it| it.variants()).map(variant).collect()))
    }

    fn reject_generics(&self, item: &impl HasGenericParams, spot: Spot) {
        if item.generic_param_list().is_some() {
            self.unsupported(spot, "a generic type", "write the type out for the arguments that you need");
        }
    }

    /// Derived orders, and so sets and maps, go by the discriminants of the variants; the engine goes by their positions.
    fn check_discriminants(&self, site: Site, item: &ast::Enum) {
        let mut next = Some(0);
        for variant in item.variant_list().into_iter().flat_map(|it| it.variants()) {
            let Some(written) = variant.const_arg().and_then(|it| it.expr()) else {
                next = next.and_then(|it: i128| it.checked_add(1));
                continue;
            };
            let found = discriminant(&written);
            match (found, next) {
                (Some(found), Some(least)) if found >= least => next = found.checked_add(1),
                _ => {
                    let help = "write ascending integers, or leave the discriminants out";
                    self.unsupported(site.spot(written.syntax()), "this discriminant", help);
                    return;
                }
            }
        }
    }

    fn check_scalar(&self, site: Site, item: &ast::Struct, spot: Spot) {
        let one = matches!(item.field_list(), Some(ast::FieldList::TupleFieldList(it)) if it.fields().count() == 1);
        if !one {
            let message = "a `#[scalar]` is a tuple struct with one field";
            self.report(error(codes::CS0207, spot, message).help("write `#[scalar] struct Name(u64);`"));
        }
        let field = match item.field_list() {
            Some(ast::FieldList::TupleFieldList(it)) => it.fields().next().and_then(|it| it.ty()),
            _ => None,
        };
        if let Some(count) = field.and_then(|it| self.few_values(site, &it, 0)) {
            let message = format!(
                "a `#[scalar]` of {count} values is not supported: a scalar type must always have an unused value"
            );
            let help = "use the type itself, or a `#[state]` struct or enum";
            self.report(error(codes::CS0207, spot, message).help(help));
        }
    }

    fn fields(&self, site: Site, list: Option<ast::FieldList>, own: &Ty) -> Vec<(String, Ty)> {
        let resolve = |ty: Option<ast::Type>| ty.map_or(Ty::Error, |it| self.resolve_type(site, &it, Some(own)));
        match list {
            Some(ast::FieldList::RecordFieldList(it)) => it
                .fields()
                .map(|it| (it.name().map(|it| it.text().to_string()).unwrap_or_default(), resolve(it.ty())))
                .collect(),
            Some(ast::FieldList::TupleFieldList(it)) => {
                it.fields().enumerate().map(|(number, it)| (number.to_string(), resolve(it.ty()))).collect()
            }
            None => Vec::new(),
        }
    }
}

impl Declared {
    /// The variant of an enum that has `#[default]`.
    fn default_variant_of(&self, item: ItemRef) -> Option<String> {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        let it = self.head::<ast::Enum>(item.file, declared.declaration)?;
        let is_default = |it: &ast::Variant| {
            ast::HasAttrs::attrs(it).any(|it| it.simple_name().is_some_and(|name| name == "default"))
        };
        let variant = it.variant_list()?.variants().find(is_default)?;
        Some(variant.name()?.text().to_string())
    }

    /// The part of a type whose default is not read.
    pub(super) fn default_not_read(&self, ty: &Ty) -> Option<NotRead> {
        self.part_without_derived_default(ty, 0)
    }

    fn part_without_derived_default(&self, ty: &Ty, depth: u32) -> Option<NotRead> {
        let Ty::Con(con, arguments) = ty else { return None };
        match con {
            _ if depth > MOST_NESTED => None,
            Con::Tuple => arguments.iter().find_map(|it| self.part_without_derived_default(it, depth + 1)),
            Con::Total => self.part_without_derived_default(arguments.last()?, depth + 1),
            Con::Result | Con::Ordering | Con::OutOfRange => {
                Some(NotRead { name: self.type_name_of(ty), why: WhyNotRead::NotDerived })
            }
            Con::User(id) => {
                let info = self.type_info(*id);
                let declared = &self.files[info.item.file as usize].index.types[info.item.index as usize];
                // `#[state]` and `#[scalar]` derive it.
                let is_derived = declared.derives_default || declared.kind != TypeKind::Plain;
                match &info.kind {
                    TypeInfoKind::Scalar(None) => Some(NotRead { name: info.name.clone(), why: WhyNotRead::Scalar }),
                    _ if !is_derived => Some(NotRead { name: info.name.clone(), why: WhyNotRead::NotDerived }),
                    TypeInfoKind::Struct(fields) => {
                        fields.iter().find_map(|(_, it)| self.part_without_derived_default(it, depth + 1))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether the order of a type is derived, so that it goes part by part. `#[state]` derives it.
    pub(super) fn derives_order(&self, id: TypeId) -> bool {
        let item = self.type_info(id).item;
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        declared.derives_order || declared.kind == TypeKind::State
    }

    /// The part of the values of a `Total` in a type whose default is not derived.
    fn total_not_read(&self, ty: &Ty) -> Option<NotRead> {
        let Ty::Con(con, arguments) = ty else { return None };
        let of_values = if *con == Con::Total { self.default_not_read(ty) } else { None };
        of_values.or_else(|| arguments.iter().find_map(|it| self.total_not_read(it)))
    }

    fn type_site(&self, item: ItemRef) -> Site {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        self.site(item.file, declared.declaration, declared.scope)
    }

    /// The definitions of some types. Types of the same name are shown with their modules.
    pub(super) fn type_definitions(&self, of: &[TypeId]) -> Vec<TypeDef> {
        let infos = || of.iter().map(|it| self.type_info(*it));
        let definition = |it: &TypeInfo| {
            let is_shared = infos().filter(|other| other.name == it.name).count() > 1;
            TypeDef { name: self.shown_name(self.type_site(it.item).scope, &it.name, is_shared), ..it.definition() }
        };
        infos().map(definition).collect()
    }

    /// The number of values of a type, if they are few enough to be all in use.
    fn few_values(&self, site: Site, ty: &ast::Type, depth: u32) -> Option<u64> {
        let of_fields = |list: Option<ast::FieldList>, site: Site| {
            let types: Vec<Option<ast::Type>> = match list {
                Some(ast::FieldList::RecordFieldList(it)) => it.fields().map(|it| it.ty()).collect(),
                Some(ast::FieldList::TupleFieldList(it)) => it.fields().map(|it| it.ty()).collect(),
                None => Vec::new(),
            };
            types.iter().try_fold(1, |count: u64, it| few(count * self.few_values(site, it.as_ref()?, depth + 1)?))
        };
        match ty {
            _ if depth > MOST_NESTED => None,
            ast::Type::ParenType(it) => self.few_values(site, &it.ty()?, depth + 1),
            ast::Type::TupleType(it) => {
                it.fields().try_fold(1, |count, it| few(count * self.few_values(site, &it, depth + 1)?))
            }
            ast::Type::PathType(it) => {
                let segment = it.path()?.segment()?;
                let path = path_segments(&it.path()?)?;
                if let Meaning::Item(Entry::Type(item)) = self.names.meaning(site.scope, &path, Namespace::Types) {
                    let site = self.type_site(item);
                    let declaration = self.files[item.file as usize].index.types[item.index as usize].declaration;
                    if let Some(it) = self.head::<ast::Struct>(item.file, declaration) {
                        return of_fields(it.field_list(), site);
                    }
                    let variants = self.head::<ast::Enum>(item.file, declaration)?.variant_list()?.variants();
                    return variants.map(|it| of_fields(it.field_list(), site)).try_fold(0, |sum, it| few(sum + it?));
                }
                let (None, name) = self.language_path(site.scope, &path, Namespace::Types)? else { return None };
                match language_con(&name)?.0 {
                    Con::Bool => Some(2),
                    Con::Int { bits, .. } if bits <= SMALL_BITS => Some(1 << bits),
                    Con::Option => {
                        let argument = segment.generic_arg_list()?.generic_args().next()?;
                        let ast::GenericArg::TypeArg(it) = argument else { return None };
                        few(1 + self.few_values(site, &it.ty()?, depth + 1)?)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether a type, and all definitions that it refers to, are valid.
    pub(super) fn is_sound(&self, ty: &Ty) -> bool {
        let mut seen = vec![false; self.types.len()];
        let mut open = vec![ty];
        while let Some(ty) = open.pop() {
            match ty {
                Ty::Error | Ty::Hole | Ty::Var(_) => return false,
                Ty::Con(Con::User(id), _) => {
                    if !std::mem::replace(&mut seen[id.0 as usize], true) {
                        open.extend(self.types[id.0 as usize].all_fields());
                    }
                }
                Ty::Con(_, arguments) => open.extend(arguments),
            }
        }
        true
    }

    pub(super) fn type_info(&self, id: TypeId) -> &TypeInfo {
        &self.types[id.0 as usize]
    }

    /// The type as a user would write it.
    pub(super) fn type_name_of(&self, ty: &Ty) -> String {
        let Ty::Con(con, arguments) = ty else { return "_".to_owned() };
        let arguments: Vec<String> = arguments.iter().map(|it| self.type_name_of(it)).collect();
        let arguments = arguments.join(", ");
        match con {
            Con::Never => "!".to_owned(),
            Con::Bool => "bool".to_owned(),
            Con::Int { bits, signed } => format!("{}{bits}", if *signed { "i" } else { "u" }),
            Con::Str => "String".to_owned(),
            Con::Pid => "Pid".to_owned(),
            Con::Ordering => "Ordering".to_owned(),
            Con::OutOfRange => "TryFromIntError".to_owned(),
            Con::User(id) => self.type_info(*id).name.clone(),
            Con::Tuple => format!("({arguments})"),
            Con::Option => format!("Option<{arguments}>"),
            Con::Result => format!("Result<{arguments}>"),
            Con::Map => format!("Map<{arguments}>"),
            Con::Total => format!("Total<{arguments}>"),
            Con::Set => format!("Set<{arguments}>"),
            Con::Seq => format!("Seq<{arguments}>"),
        }
    }
}

/// The value of a literal as a discriminant.
fn discriminant(expr: &ast::Expr) -> Option<i128> {
    match expr {
        ast::Expr::Literal(it) => match it.kind() {
            ast::LiteralKind::IntNumber(it) => i128::try_from(it.value().ok()?).ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A number of values that can all be in use at once.
fn few(count: u64) -> Option<u64> {
    (count <= 1 << SMALL_BITS).then_some(count)
}

/// The maximum number of aliases followed for one item, counting nested ones each time.
const MOST_ALIASES: u32 = 100_000;

/// The maximum depth of types that is followed.
const MOST_NESTED: u32 = 16;

const LANGUAGE_TYPES: &[&str] = &[
    "bool", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "String", "Pid", "Option",
    "Result", "Map", "Total", "Set", "Seq",
];

/// A type of the language, with the number of its arguments.
pub(super) fn language_con(name: &str) -> Option<(Con, usize)> {
    let int = |bits, signed| Some((Con::Int { bits, signed }, 0));
    match name {
        "bool" => Some((Con::Bool, 0)),
        "u8" => int(8, false),
        "u16" => int(16, false),
        "u32" => int(32, false),
        "u64" | "usize" => int(64, false),
        "i8" => int(8, true),
        "i16" => int(16, true),
        "i32" => int(32, true),
        "i64" | "isize" => int(64, true),
        "String" | "str" => Some((Con::Str, 0)),
        "Pid" => Some((Con::Pid, 0)),
        "Ordering" => Some((Con::Ordering, 0)),
        "TryFromIntError" => Some((Con::OutOfRange, 0)),
        "Option" => Some((Con::Option, 1)),
        "Result" => Some((Con::Result, 2)),
        "Map" => Some((Con::Map, 2)),
        "Total" => Some((Con::Total, 2)),
        "Set" => Some((Con::Set, 1)),
        "Seq" => Some((Con::Seq, 1)),
        _ => None,
    }
}
