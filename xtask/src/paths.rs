//! The paths in a file of Rust that may lead to another file of its crate.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, Ident, Item, Meta, UseTree,
    visit::{self, Visit},
};

/// A path in some module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// The name that a `use` gives it, `*` for everything in it.
    pub(crate) imported_as: Option<String>,
}

/// All paths of these items, but for those of inline modules and of tests.
pub(crate) fn found(items: &[Item]) -> Vec<Found> {
    let mut finder = Finder::default();
    items.iter().for_each(|item| finder.visit_item(item));
    finder.0
}

/// Whether something is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => asks_for_test(list.tokens.clone()),
        _ => false,
    })
}

/// Whether a condition has `test` in it, and not inside `not(…)`.
fn asks_for_test(condition: TokenStream) -> bool {
    let mut negated = false;
    condition.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            negated = ident == "not";
            ident == "test"
        }
        TokenTree::Group(group) => !std::mem::take(&mut negated) && asks_for_test(group.stream()),
        _ => false,
    })
}

/// What `#[path = "…"]` says.
pub(crate) fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    match &attribute.meta.require_name_value().ok()?.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
        _ => None,
    }
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name of what an item defines; imports and modules apart.
pub(crate) fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

#[derive(Default)]
struct Finder(Vec<Found>);

impl Finder {
    fn add(&mut self, path: Vec<String>, line: usize, imported_as: Option<String>) {
        self.0.push(Found { path, line, imported_as });
    }

    /// The paths of a `use`, one for each name that it imports.
    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |ident: &Ident| match (ident.to_string().as_str(), before) {
            // `stream::{self}` is `stream`.
            ("self", [_, ..]) => before.to_vec(),
            (name, _) => [before, &[name.to_owned()]].concat(),
        };
        let line = |span: Span| span.start().line;
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => {
                let path = with(&name.ident);
                let imported_as = path.last().cloned();
                self.add(path, line(name.ident.span()), imported_as);
            }
            UseTree::Rename(rename) => {
                self.add(with(&rename.ident), line(rename.ident.span()), Some(rename.rename.to_string()));
            }
            UseTree::Glob(glob) => self.add(before.to_vec(), line(glob.star_token.spans[0]), Some("*".to_owned())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(before, tree)),
        }
    }

    /// The paths in what a macro gets, which need not be Rust.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident);
                    colons = 0;
                }
                other => {
                    self.add_idents(&std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Ident(ident) => path.push(ident),
                        TokenTree::Group(group) => self.add_tokens(group.stream()),
                        _ => {}
                    }
                }
            }
        }
        self.add_idents(&path);
    }

    /// A path of one name is a name of this module, or a variable.
    fn add_idents(&mut self, path: &[Ident]) {
        if let [first, _, ..] = path {
            self.add(path.iter().map(Ident::to_string).collect(), first.span().start().line, None);
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let idents: Vec<Ident> = path.segments.iter().map(|segment| segment.ident.clone()).collect();
        self.add_idents(&idents);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.add_tokens(call.tokens.clone());
    }

    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}
