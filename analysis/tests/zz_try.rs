mod findings;
use findings::*;
#[test]
fn try_it() {
    let path = std::env::var("TRY").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let t = std::time::Instant::now();
    let checked = run(&[(path, text)], &Default::default());
    for it in checked.errors() { println!("{it}"); }
    println!("{}", checked.in_words());
    for it in &checked.outcomes { println!("{:?} {} {}::{} {:?} cases {}", it.verdict, it.name.implementation, it.name.layer, it.name.operation, which(&it.name), it.cases); }
    println!("{:?}", t.elapsed());
}
#[test]
fn try_tso() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tso/src/layers");
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).map(|p| (p.display().to_string(), std::fs::read_to_string(&p).unwrap())).collect();
    files.sort();
    let t = std::time::Instant::now();
    let checked = run(&files, &cspec_analysis::report::Options { end_to_end: std::env::var("E2E").is_ok(), ..Default::default() });
    println!("{}", checked.in_words());
    for it in &checked.outcomes { println!("{:?} {} {}::{} {:?} cases {} states {}", it.verdict, it.name.implementation, it.name.layer, it.name.operation, which(&it.name), it.cases, it.states); }
    println!("{:?}", t.elapsed());
}
