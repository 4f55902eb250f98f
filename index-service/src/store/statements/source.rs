//! Reads the SQL out of the source of this room: string literals, and what `concat!` and the room's own macros make of
//! them.
//!
//! Must not judge a statement.

use super::super::questions::MOST;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ExprForLoop, ExprMethodCall, ImplItemFn, ItemConst, ItemFn, ItemMacro, ItemMod, Lit,
    Token,
};

/// How a statement begins.
const VERBS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

/// What makes SQL of text that does not stand in the source.
const BUILT: [&str; 3] = ["AssertSqlSafe", "QueryBuilder", ".leak("];

/// One file.
#[derive(Default)]
pub struct Source {
    /// Its name.
    pub file: String,
    /// Every statement in it.
    pub statements: Vec<String>,
    /// Every function in it that asks the database something.
    pub functions: Vec<Function>,
}

/// A function that asks the database something.
#[derive(Default)]
pub struct Function {
    pub name: String,
    /// Each statement that it asks; `None` for one that is passed in or chosen.
    pub asked: Vec<Option<String>>,
    /// How many values it binds.
    pub values: usize,
}

impl Source {
    /// Every file of the room.
    pub fn all() -> Vec<Self> {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
        let mut files: Vec<_> = fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("statements.rs"));
        files.sort();
        let files = files.into_iter().map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let built = BUILT.iter().find(|word| text.contains(**word));
            assert!(built.is_none(), "{} makes SQL of what does not stand in it: {built:?}", path.display());
            (path.file_name().unwrap().to_str().unwrap().to_owned(), syn::parse_file(&text).unwrap())
        });
        let files: Vec<_> = files.collect();
        let mut macros = Macros::default();
        for (_, file) in &files {
            macros.visit_file(file);
        }
        files.into_iter().map(|(name, file)| Reader::read(name, &file, &macros)).collect()
    }
}

/// Every macro of the room by name: (parameters, body).
#[derive(Default)]
struct Macros(BTreeMap<String, (TokenStream, TokenStream)>);

impl Visit<'_> for Macros {
    fn visit_item_macro(&mut self, item: &ItemMacro) {
        let Some(name) = item.ident.as_ref().map(ToString::to_string) else { return };
        let mut groups = item.mac.tokens.clone().into_iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        let arm = groups.next().zip(groups.next()).unwrap();
        assert!(groups.next().is_none(), "{name}! has more than one arm, which is not read here");
        assert!(self.0.insert(name.clone(), arm).is_none(), "two macros are called {name}!");
    }
}

impl Macros {
    /// The text that an expression stands for, if it is one of text.
    fn text(&self, expression: &Expr) -> Option<String> {
        match expression {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            Expr::Macro(call) => {
                let name = call.mac.path.segments.last()?.ident.to_string();
                if name == "concat" {
                    let pieces = split(call.mac.tokens.clone());
                    return Some(pieces.iter().map(|piece| self.text(piece).expect("a piece of text")).collect());
                }
                self.text(&self.filled(expression)?)
            }
            _ => None,
        }
    }

    /// What a call of one of the room's macros stands for.
    fn filled(&self, expression: &Expr) -> Option<Expr> {
        let Expr::Macro(call) = expression else { return None };
        let name = call.mac.path.segments.last()?.ident.to_string();
        let (parameters, body) = self.0.get(&name)?;
        let body = fill(body.clone(), parameters, &call.mac.tokens);
        Some(syn::parse2(body).unwrap_or_else(|error| panic!("{name}!: {error}")))
    }
}

/// Expressions between commas.
fn split(tokens: TokenStream) -> Punctuated<Expr, Token![,]> {
    Punctuated::parse_terminated.parse2(tokens).unwrap()
}

/// A macro's body with what it is called with in place of its parameters: literals by their names, or, of
/// `$($all:tt)+`, all of it.
fn fill(body: TokenStream, parameters: &TokenStream, given: &TokenStream) -> TokenStream {
    let names: Vec<String> = names(parameters.clone());
    let is_repeated = parameters.to_string().contains("tt");
    let given: Vec<TokenStream> = if is_repeated {
        vec![given.clone()]
    } else {
        split(given.clone()).iter().map(ToTokens::to_token_stream).collect()
    };
    assert_eq!(names.len(), given.len(), "{parameters} is called with {given:?}");
    replace(body, &names.into_iter().zip(given).collect())
}

/// The names after `$`, wherever they are.
fn names(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (&token, tokens.peek()) {
            (TokenTree::Group(group), _) => names.extend(self::names(group.stream())),
            (TokenTree::Punct(sign), Some(TokenTree::Ident(name))) if sign.as_char() == '$' => {
                names.push(name.to_string());
            }
            _ => {}
        }
    }
    names
}

fn replace(tokens: TokenStream, by: &BTreeMap<String, TokenStream>) -> TokenStream {
    let mut filled = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '$' => match tokens.next() {
                Some(TokenTree::Ident(name)) => filled.extend(by.get(&name.to_string()).cloned()),
                // `$(…)+` around all that was given.
                Some(TokenTree::Group(group)) => {
                    filled.extend(replace(group.stream(), by));
                    tokens.next();
                }
                _ => {}
            },
            TokenTree::Group(group) => {
                let delimiter: Delimiter = group.delimiter();
                filled.extend([TokenTree::Group(Group::new(delimiter, replace(group.stream(), by)))]);
            }
            other => filled.extend([other]),
        }
    }
    filled
}

/// Reads one file.
struct Reader<'a> {
    macros: &'a Macros,
    constants: BTreeMap<String, String>,
    source: Source,
    function: Function,
}

impl<'a> Reader<'a> {
    fn read(file: String, syntax: &syn::File, macros: &'a Macros) -> Source {
        let (constants, source) = (BTreeMap::new(), Source { file, ..Source::default() });
        let mut reader = Self { macros, constants, source, function: Function::default() };
        reader.visit_file(syntax);
        reader.source
    }

    fn function(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.function = Function { name, ..Function::default() };
        visit(self);
        let function = std::mem::take(&mut self.function);
        if !function.asked.is_empty() {
            self.source.functions.push(function);
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item_mod(&mut self, module: &ItemMod) {
        if !module.attrs.iter().any(is_test) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, item: &ItemFn) {
        self.function(item.sig.ident.to_string(), |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &ImplItemFn) {
        self.function(item.sig.ident.to_string(), |reader| visit::visit_impl_item_fn(reader, item));
    }

    fn visit_item_const(&mut self, item: &ItemConst) {
        if let Some(text) = self.macros.text(&item.expr) {
            self.constants.insert(item.ident.to_string(), text);
        }
        visit::visit_item_const(self, item);
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let [first, name] = &path.path.segments.iter().map(|part| part.ident.to_string()).collect::<Vec<_>>()[..]
            && first == "sqlx"
            && name.starts_with("query")
            && let Some(statement) = call.args.first()
        {
            let chosen = statement.to_token_stream().to_string();
            let constant = self.constants.get(&chosen).cloned();
            self.function.asked.push(self.macros.text(statement).or(constant));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        self.function.values += usize::from(call.method == "bind");
        visit::visit_expr_method_call(self, call);
    }

    /// What is bound once for each question counts as often as a statement has room for one.
    fn visit_expr_for_loop(&mut self, each: &ExprForLoop) {
        let before = self.function.values;
        visit::visit_expr_for_loop(self, each);
        if each.expr.to_token_stream().to_string() == "0 .. MOST" {
            self.function.values = before + (self.function.values - before) * MOST;
        }
    }

    fn visit_expr(&mut self, expression: &Expr) {
        let text =
            self.macros.text(expression).filter(|text| VERBS.iter().any(|verb| text.trim_start().starts_with(verb)));
        self.source.statements.extend(text);
        match self.macros.filled(expression) {
            Some(made) => self.visit_expr(&made),
            None => visit::visit_expr(self, expression),
        }
    }
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().contains("test")
}
