//! Lowering of inheritance by a key, of partitions and of texts, and the findings if they do not fit.

mod support;

use cspec_analysis::{
    db::lower_sources,
    ir::{Justification, PartitionEnd, Program},
};
use expect_test::{Expect, expect};
use support::check;

/// A correct example: boxes with a key.
const BOXES: &str = "
#[scalar] pub struct User(String);
#[state] pub struct Mail { pub boxes: Map<User, u64>, pub lost: bool }
#[layer] impl One for u64 {
    #[init] fn empty(&self) -> bool { *self == 0 }
    #[op] fn put(&mut self, me: Pid, number: u64) -> bool { *self = number; true }
    #[op] fn look(&mut self, me: Pid) -> u64 { *self }
    #[op] fn number(&mut self, me: Pid) -> Pid { me }
    #[op(external)] fn print(&mut self, me: Pid, number: u64) { external() }
}
#[layer(inherit(One in boxes[user: User]: init, put, look), inherit(One: number, print))]
impl All for Mail {
    #[op] fn check(&mut self, me: Pid, user: User) -> bool { maybe() && self.boxes.contains(&user) }
    #[op] fn lose(&mut self, me: Pid) { self.lost = true; }
}
#[layer(inherit(All: init, put, look, number, print, check))]
impl Kept for Mail {}
";

#[track_caller]
fn lowered(source: &str) -> Program {
    let lowered = lower_sources(&[("src/lib.rs", &format!("{BOXES}{source}"))]);
    assert_eq!(lowered.diagnostics, []);
    (*lowered.program).clone()
}

#[track_caller]
fn snapshot(function: &str, expected: Expect) {
    expected.assert_eq(&support::dumped(&lowered(""), function));
}

/// Checks the diagnostics of a source after `BOXES`.
#[track_caller]
fn check_boxes(source: &str) {
    check(&format!("{BOXES}{source}"));
}

#[test]
fn an_operation_inherited_by_key_takes_it_and_acts_on_its_entry() {
    snapshot(
        "All::put",
        expect![[r#"
        All::put(inout self.0: Mail, me.1: Pid, user.2: User, number.3: u64) -> bool: {
          when(Contains(self.0.0, user.2));
          One::put(inout self.0.0[user.2], me.1, number.3)
        }"#]],
    );
    snapshot(
        "All::empty",
        expect!["All::empty(self.0: Mail) -> bool: Elems(self.0.0).All(|(_, entry.1)| One::empty(entry.1))"],
    );
}

#[test]
fn a_layer_may_inherit_what_takes_a_key() {
    let program = lowered("");
    let [all, kept] = ["All", "Kept"].map(|name| program.layers.iter().find(|it| it.name == name).expect("a layer"));
    assert_eq!(all.init, kept.init);
    let [above, below] = [kept, all].map(|it| it.operations.iter().find(|it| it.name == "put").expect("it has `put`"));
    assert_eq!((above.function, &above.component), (below.function, &Vec::new()));
    assert_eq!(program.layers[above.declared_in.0 as usize].name, "All");
}

#[test]
fn both_ends_of_a_partition() {
    let program = lowered(
        "
        #[implement(Kept, over = One, by = partition(user), check = check, pass(put, look, number, print))]
        impl PerUser {}
        #[implement(One, over = Kept, by = partition(user), check = check, pass(number, print))]
        impl ByUser {
            #[abstraction]
            fn slice(lo: &Mail, user: &User) -> Option<u64> { lo.boxes.get(user).copied() }
            fn put(lo: &mut impl Kept, user: User, number: u64) -> bool { lo.put(user, number) }
            fn look(lo: &mut impl Kept, user: User) -> u64 { lo.look(user) }
        }
        ",
    );
    let [top, bottom] = program.implementations.as_slice() else { panic!("two implementations") };
    let (Justification::Partition(top), Justification::Partition(bottom)) = (&top.by, &bottom.by) else {
        panic!("both are by partition")
    };
    assert_eq!(top.end, PartitionEnd::Top { map: vec![0] });
    assert!(matches!(bottom.end, PartitionEnd::Bottom { .. }));
    assert_eq!((&top.key_type, &top.check), (&bottom.key_type, &bottom.check));
    assert_eq!(program.type_name(&top.key_type), "User");
    let operations: Vec<&str> = top.code.keys().map(String::as_str).collect();
    assert_eq!(operations, ["look", "number", "print", "put"]);
}

#[test]
fn texts() {
    let program = lowered(
        r#"
        #[state] pub struct Id { pub pid: Pid, pub number: u64 }
        fn encode(id: &Id) -> String { format!("{}.{{{}}}", id.pid, id.number) }
        fn decode(name: &str) -> Option<Id> {
            let (pid, number) = name.split_once('.')?;
            Some(Id { pid: pid.parse().ok()?, number: number.parse::<u64>().ok()? })
        }
        #[state] pub struct Dir { pub files: Map<String, u64> }
        #[layer] impl Names for Dir {
            #[op] fn list(&mut self, me: Pid) -> Set<Id> { self.files.keys().iter().filter_map(|name| decode(name)).collect() }
            #[op] fn fill(&mut self, me: Pid, from: Map<Id, u64>) {
                self.files = from.iter().map(|(id, value)| (encode(id), *value)).collect();
                let count = from.len();
                self.files.insert(format!("{me}-{count}") + &count.to_string(), from.values().count() as u64);
            }
        }
        "#,
    );
    let all = ["encode", "decode", "Names::list", "Names::fill"].map(|name| support::dumped(&program, name));
    expect![[r#"
        encode(id.0: Id) -> String: {
          Concat(Text(id.0.0), ".{", Text(id.0.1), "}")
        }
        decode(name.0: String) -> Option<Id>: {
          let (pid.2, number.3) = match SplitOnce(name.0, ".") {
            #1(value.1) => value.1
            #0() => return #0()
          };
          #1((match Parse(pid.2) {
            #1(value.4) => value.4
            #0() => return #0()
          }, match Parse(number.3) {
            #1(value.5) => value.5
            #0() => return #0()
          }))
        }
        Names::list(inout self.0: Dir, me.1: Pid) -> Set<Id>: {
          ToSet(Elems(Keys(self.0.0)).Map(|name.2| decode(name.2)).Filter(|value.3| match value.3 {
            #1(_) => true
            #0() => false
          }).Map(|value.4| match value.4 {
            #1(found.5) => found.5
          }))
        }
        Names::fill(inout self.0: Dir, me.1: Pid, from.2: Map<Id, u64>) -> (): {
          self.0.0 = ToMap(Elems(from.2).Map(|(id.3, value.4)| (encode(id.3), value.4)));
          let count.5 = Len(from.2);
          Insert!(self.0.0, Concat(Concat(Text(me.1), "-", Text(count.5)), Text(count.5)), Cast(Len(Values(from.2))));
        }"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn texts_that_are_not_plain() {
    support::check_body(
        r#"
    let a = format!("{:?}", 1);
//          ^^^^^^^^^^^^^^^^^^ CS0102 this form of a hole in `format!` is not supported
    let b = format!("{} {}", 1);
//          ^^^^^^^^^^^^^^^^^^^ CS0104 there are more holes than values
    let c = format!("{unknown}");
//          ^^^^^^^^^^^^^^^^^^^^ CS0103 unknown name `unknown`
    let d = format!("{}", maybe());
//          ^^^^^^^^^^^^^^^^^^^^^^ CS0102 the text of a value of type `bool` is not supported
    let e = "1".parse::<bool>().ok();
//          ^^^^^^^^^^^^^^^^^^^^^^^^ CS0104 only integers and `Pid` are parsed
    let f = "1".parse::<u64>();
//              ^^^^^ CS0102 the method `parse` of `String` is not supported
    let g = self.owner?;
//          ^^^^^^^^^^^ CS0102 `?` in this place is not supported
"#,
    );
}

#[test]
fn cs0204_what_a_key_leads_to() {
    check_boxes(
        "
    #[layer(inherit(One in lost[user: User]: put))]
//                         ^^^^ CS0204 `lost` is a `bool`, but operations of layer `One` act on the entries of a `Map<User, u64>`
    impl A for Mail {}
    #[layer(inherit(One in boxes[pid: Pid]: put))]
//                         ^^^^^ CS0204 `boxes` is a `Map<User, u64>`, but operations of layer `One` act on the entries of a `Map<Pid, u64>`
    impl B for Mail {}
    #[implement(Kept, over = All, by = partition(user), check = check, pass(put))]
//                           ^^^ CS0204 the state `Mail` of `Kept` has no maps to the state `Mail` of `All`: a partition needs one
    impl C {}
",
    );
}

#[test]
fn cs0205_what_is_not_the_operation_of_a_key() {
    check_boxes(
        "
    #[layer(inherit(One: number))]
    impl Odd for Mail {
        #[op] fn put(&mut self, me: Pid, number: u64, user: User) -> bool { true }
        #[op] fn look(&mut self, me: Pid, who: User) -> u64 { 0 }
        #[op] fn check(&mut self, me: Pid, user: User) -> u64 { 0 }
        #[op] fn exists(&mut self, me: Pid, user: User) -> bool { true }
    }
    #[implement(Odd, over = One, by = partition(user), check = exists, pass(put, look, number, check))]
//                                                                          ^^^ CS0205 `put` of layer `Odd` is not the operation of layer `One` with `user` before
//                                                                               ^^^^ CS0205 `look` of layer `Odd` is not the operation of layer `One` with `user` before
//                                                                                             ^^^^^ CS0202 layer `One` has no operation `check`
    impl A {}
    #[implement(Odd, over = One, by = partition(user), check = check, pass(number))]
//                                                             ^^^^^ CS0205 `check` does not tell whether a `user` is valid
    impl B {}
    #[implement(One, over = Odd, by = partition(user), check = exists, pass(number, print))]
//                                                                                  ^^^^^ CS0202 layer `Odd` has no operation `print`
    impl C {
        #[abstraction]
        fn slice(lo: &Mail, user: &User) -> Option<u64> { lo.boxes.get(user).copied() }
        fn put(lo: &mut impl Odd, number: u64, user: User) -> bool { lo.put(number, user) }
//         ^^^ CS0205 procedure `put` does not take the key `user` first
        fn look(lo: &mut impl Odd, user: User) -> u64 { lo.look(user) }
    }
    #[implement(One, over = Odd, by = partition(user), check = exists, pass(number))]
    impl D {
        #[abstraction]
        fn slice(lo: &Mail, who: &User) -> Option<u64> { lo.boxes.get(who).copied() }
//         ^^^^^ CS0205 `slice` does not select the state of one `user` from the state for all
    }
",
    );
}

#[test]
fn cs0207_forms() {
    check_boxes(
        "
    #[layer(inherit(One in boxes[user]: put))]
//                                   ^ CS0207 expected `:`, found `]`
    impl A for Mail {}
    #[layer(inherit(One in boxes[user: User]: print))]
//                                            ^^^^^ CS0207 `print` is external, and belongs to no key
    impl B for Mail {}
    #[state] pub struct Houses { pub houses: Map<u64, Mail> }
    #[layer(inherit(All in houses[house: u64]: put))]
//                                             ^^^ CS0207 `put` takes a key already
    impl C for Houses {}
    #[implement(Kept, over = One, by = partition, check = check)]
//                                              ^ CS0207 expected `(`, found `,`
    impl D {}
    #[implement(Kept, over = One, by = partition(user), pass(put))]
//                                     ^^^^^^^^^ CS0207 a partition names the operation that checks whether a key is valid
    impl E {}
    #[implement(Kept, over = Kept, by = movers, check = check, pass(put, look, number, print, check))]
//                                                      ^^^^^ CS0207 `check` names the operation that checks the keys of a partition
    impl F {}
    #[implement(Kept, over = One, by = partition(user), check = check, pass(put, number, print))]
    impl G {
        fn look(lo: &mut impl One, user: User) -> u64 { lo.look() }
//         ^^^^ CS0207 the top of a partition has no procedures
    }
",
    );
}
