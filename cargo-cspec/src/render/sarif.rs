//! `check` as SARIF 2.1.0, which code scanning reads. One document, printed when the run ends.
//!
//! It has a rule for each code with its page, and a result for each diagnostic. Only the parts of the format that are used are defined
//! here; the tests check the output against the schema.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use cspec_analysis::{
    diagnostics::{Diagnostic, Fix, codes},
    ir::Span,
    report::SourceText,
};
use serde::Serialize;

use super::{
    Render, causes,
    place::Place,
    severity_name,
    summary::{Checked, Summary},
};

/// Renders the results of `check` as SARIF.
pub struct Sarif<'a> {
    out: &'a mut dyn Write,
    results: Vec<Result>,
    root: Option<String>,
}

impl<'a> Sarif<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Sarif<'a> {
        Sarif { out, results: Vec::new(), root: None }
    }
}

impl Render for Sarif<'_> {
    fn package(&mut self, checked: &Checked) -> io::Result<()> {
        self.results.extend(causes(&checked.report).iter().map(|found| Result::new(checked, found)));
        self.root.get_or_insert_with(|| format!("{}/", uri(checked.package.workspace_root.as_str())));
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let mut found: Vec<&'static str> = self.results.iter().map(|result| result.rule_id).collect();
        found.sort_unstable();
        found.dedup();
        let roots =
            self.root.iter().map(|root| ("ROOT", Artifact { uri: format!("file://{root}"), uri_base_id: None }));
        let log = Log {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: Tool {
                    driver: Driver {
                        name: "cspec",
                        semantic_version: env!("CARGO_PKG_VERSION"),
                        rules: found.into_iter().filter_map(Rule::new).collect(),
                    },
                },
                column_kind: "unicodeCodePoints",
                original_uri_base_ids: roots.collect(),
                invocations: [Invocation {
                    execution_successful: summary.is_complete(),
                    exit_code: summary.status().code(),
                    exit_code_description: summary.line(),
                }],
                results: std::mem::take(&mut self.results),
            }],
        };
        serde_json::to_writer_pretty(&mut *self.out, &log)?;
        writeln!(self.out)
    }
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    original_uri_base_ids: BTreeMap<&'static str, Artifact>,
    invocations: [Invocation; 1],
    results: Vec<Result>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    help: Markdown,
}

impl Rule {
    fn new(code: &str) -> Option<Rule> {
        let code = codes::explain(code)?;
        let page = code.page.to_owned();
        let short_description = Text { text: code.title.to_owned() };
        Some(Rule { id: code.code, short_description, help: Markdown { text: page.clone(), markdown: page } })
    }
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Markdown {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    exit_code_description: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    rule_id: &'static str,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<ProposedFix>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

impl Result {
    fn new(checked: &Checked, found: &Diagnostic) -> Result {
        let files = &checked.report.files;
        let mut text = found.message.clone();
        let help = found.help.iter().map(|help| format!("help: {help}"));
        for paragraph in found.paragraphs().into_iter().chain(help) {
            text.push_str("\n\n");
            text.push_str(&paragraph);
        }
        // A finding keeps its identity when it moves to another line.
        let identity = blake3::hash([found.code, &checked.package.title, &found.message].join("\0").as_bytes());
        let manifest = || Location::of_file(&checked.package.manifest_path, &checked.package.workspace_root);
        Result {
            rule_id: found.code,
            level: severity_name(found.severity),
            message: Text { text },
            locations: vec![Location::new(files, found.span, &found.label).unwrap_or_else(manifest)],
            related_locations: found
                .related
                .iter()
                .filter_map(|(span, label)| Location::new(files, *span, label))
                .collect(),
            fixes: found.fixes.iter().filter_map(|fix| ProposedFix::new(files, fix)).collect(),
            partial_fingerprints: [("cspec/v1", identity.to_hex()[..32].to_owned())].into(),
        }
    }
}

/// A SARIF `fix`. The format does not say whether it can be applied automatically, so rustc's term is among the properties.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProposedFix {
    description: Text,
    artifact_changes: [ArtifactChange; 1],
    properties: FixProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: Artifact,
    replacements: [Replacement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Text,
}

#[derive(Serialize)]
struct FixProperties {
    applicability: &'static str,
}

impl ProposedFix {
    fn new(files: &[SourceText], fix: &Fix) -> Option<ProposedFix> {
        let place = Place::find(files, fix.span)?;
        let replacement = Replacement {
            deleted_region: Region::new(&place),
            inserted_content: Text { text: fix.replacement.clone() },
        };
        let change = ArtifactChange { artifact_location: artifact(place.path.as_str()), replacements: [replacement] };
        Some(ProposedFix {
            description: Text { text: fix.title.clone() },
            artifact_changes: [change],
            properties: FixProperties { applicability: fix.applicability.name() },
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

impl Region {
    fn new(place: &Place<'_>) -> Region {
        let (start, end) = (place.start(), place.end());
        Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
    }
}

impl Location {
    fn new(files: &[SourceText], span: Span, label: &str) -> Option<Location> {
        let place = Place::find(files, span)?;
        let region = Region::new(&place);
        let message = (!label.is_empty()).then(|| Text { text: label.to_owned() });
        let artifact_location = artifact(place.path.as_str());
        Some(Location { physical_location: PhysicalLocation { artifact_location, region: Some(region) }, message })
    }

    fn of_file(path: &camino::Utf8Path, root: &camino::Utf8Path) -> Location {
        let path = path.strip_prefix(root).unwrap_or(path);
        let artifact_location = artifact(path.as_str());
        Location { physical_location: PhysicalLocation { artifact_location, region: None }, message: None }
    }
}

/// A file: relative to the workspace root, unless it lies outside.
fn artifact(path: &str) -> Artifact {
    if path.starts_with('/') {
        Artifact { uri: format!("file://{}", uri(path)), uri_base_id: None }
    } else {
        Artifact { uri: uri(path), uri_base_id: Some("ROOT") }
    }
}

/// A path as part of a URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            b'\\' => uri.push('/'),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::render::fixtures::{broken, failing, passing, rendered};

    fn sarif(packages: &[Checked]) -> Value {
        serde_json::from_str(&rendered(packages, |out| Box::new(Sarif::new(out)))).expect("it is JSON")
    }

    #[test]
    fn the_schema_allows_what_is_printed() {
        let schema = include_str!("../../tests/schema/sarif-2.1.0.json");
        // One pattern in the schema has an unmatched bracket, which the validator refuses.
        let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
        let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
        let schema = jsonschema::validator_for(&schema).expect("it is a schema");
        for packages in [vec![], vec![passing()], vec![failing(), broken()]] {
            let printed = sarif(&packages);
            let errors: Vec<String> =
                schema.iter_errors(&printed).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:#?}\n{printed:#}");
        }
        let mut wrong = sarif(&[failing()]);
        wrong["runs"][0]["results"][0]["level"] = "undecided".into();
        assert!(!schema.is_valid(&wrong), "the schema should refuse what is not SARIF");
    }

    #[test]
    fn a_result_says_where_and_why() {
        let printed = sarif(&[failing()]);
        let result = &printed["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "CS0301");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "demo/src/lock.rs");
        assert_eq!(place["region"]["startLine"], 4);
        assert_eq!(result["relatedLocations"].as_array().map(Vec::len), Some(3));
        assert_eq!(printed["runs"][0]["originalUriBaseIds"]["ROOT"]["uri"], "file:///work/");
        assert_eq!(printed["runs"][0]["invocations"][0]["exitCode"], 1);
    }

    #[test]
    fn a_fix_says_what_to_put_where_and_who_may() {
        let printed = sarif(&[failing()]);
        let fix = &printed["runs"][0]["results"][0]["fixes"][0];
        assert_eq!(fix["description"]["text"], "Correct the claim: change `right` to `non`");
        assert_eq!(fix["properties"]["applicability"], "MachineApplicable");
        let change = &fix["artifactChanges"][0];
        assert_eq!(change["artifactLocation"]["uri"], "demo/src/lock.rs");
        let replacement = &change["replacements"][0];
        let columns = ["startColumn", "endColumn"].map(|end| replacement["deletedRegion"][end].as_u64());
        assert_eq!(columns, [Some(10), Some(15)]);
        assert_eq!(replacement["insertedContent"]["text"], "non");
    }

    #[test]
    fn odd_paths_are_escaped() {
        assert_eq!(uri("a b/größe.rs"), "a%20b/gr%C3%B6%C3%9Fe.rs");
    }
}
