//! Stuck runs: reachable configurations from which the processes can never all finish.
//!
//! A process that has finished stays finished. So a finite graph has such a configuration exactly if some
//! fair run never finishes a process: if every step that is possible infinitely often is taken infinitely often, the run ends in a part of the graph
//! that it cannot leave, in which the set of finished processes is constant.
//!
//! ```text
//! for every reachable configuration c: some run from c reaches a configuration in which all processes have finished
//! ```
//!
//! This covers deadlocks (no process can take a step), lost wake-ups (a process waits for an event that can no longer happen) and cycles that no
//! order of steps leaves. A process that spins is not stuck as long as some order of steps lets it continue.

/// A finite graph, whose nodes are added in the order of their numbers.
#[derive(Default)]
pub(super) struct Graph {
    /// For each node, the end of its successors in `targets`.
    ends: Vec<u32>,
    targets: Vec<u32>,
    /// The nodes from which an end can be reached. Before [`Graph::first_stuck`]: the nodes that are ends.
    can_end: Vec<bool>,
}

impl Graph {
    /// Adds the next node.
    pub(super) fn add(&mut self, is_end: bool, successors: &[u32]) {
        let number = self.can_end.len() as u32;
        // A step that changes nothing leads nowhere.
        self.targets.extend(successors.iter().filter(|it| **it != number));
        self.ends.push(self.targets.len() as u32);
        self.can_end.push(is_end);
    }

    fn successors(&self, node: usize) -> &[u32] {
        let start = if node == 0 { 0 } else { self.ends[node - 1] };
        &self.targets[start as usize..self.ends[node] as usize]
    }

    /// Whether this node has been added.
    pub(super) fn has(&self, node: usize) -> bool {
        node < self.ends.len()
    }

    /// Whether no step leads away from a node.
    pub(super) fn is_final(&self, node: usize) -> bool {
        self.successors(node).is_empty()
    }

    /// The nodes from a first node to this one, if nodes were numbered in the order in which they were reached: a shortest path.
    pub(super) fn path_to(&self, node: u32) -> Vec<u32> {
        let mut path = vec![node];
        let mut at = node;
        // The predecessor that reached a node first has the smallest number.
        while let Some(before) = self.targets.iter().position(|it| *it == at) {
            let from = self.ends.partition_point(|end| *end as usize <= before) as u32;
            if from >= at {
                break;
            }
            path.push(from);
            at = from;
        }
        path.reverse();
        path
    }

    /// The first node from which no end can be reached; preferably one without steps, since it is easier to understand. All nodes have been
    /// added.
    pub(super) fn first_stuck(&mut self) -> Option<usize> {
        // Most steps lead to nodes with larger numbers, so a few rounds suffice.
        let mut changes = true;
        while std::mem::take(&mut changes) {
            for node in (0..self.can_end.len()).rev() {
                if !self.can_end[node] && self.successors(node).iter().any(|it| self.can_end[*it as usize]) {
                    self.can_end[node] = true;
                    changes = true;
                }
            }
        }
        self.first_final_stuck().or_else(|| self.can_end.iter().position(|it| !it))
    }

    /// Whether no end can be reached from a node, once [`Graph::first_stuck`] was asked.
    pub(super) fn is_stuck(&self, node: usize) -> bool {
        !self.can_end[node]
    }

    /// The first node so far that is not an end and has no step away from it.
    pub(super) fn first_final_stuck(&self) -> Option<usize> {
        (0..self.can_end.len()).find(|it| !self.can_end[*it] && self.is_final(*it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: &[(bool, &[u32])]) -> Graph {
        let mut graph = Graph::default();
        nodes.iter().for_each(|(is_end, successors)| graph.add(*is_end, successors));
        graph
    }

    #[test]
    fn a_run_that_ends_is_not_stuck() {
        assert_eq!(graph(&[(false, &[1]), (true, &[])]).first_stuck(), None);
    }

    #[test]
    fn a_node_without_steps_is_stuck_unless_it_is_an_end() {
        assert_eq!(graph(&[(false, &[1, 2]), (true, &[]), (false, &[])]).first_stuck(), Some(2));
        // A step that changes nothing is not a way out.
        assert_eq!(graph(&[(false, &[1, 2]), (true, &[]), (false, &[2])]).first_stuck(), Some(2));
    }

    #[test]
    fn spinning_is_not_stuck_if_some_order_leaves_it() {
        // 0 and 1 form a cycle; 1 can leave it.
        assert_eq!(graph(&[(false, &[1]), (false, &[0, 2]), (true, &[])]).first_stuck(), None);
    }

    #[test]
    fn a_round_that_nothing_leaves_is_stuck() {
        // 0 can go to the end or into the cycle of 2 and 3.
        assert_eq!(graph(&[(false, &[1, 2]), (true, &[]), (false, &[3]), (false, &[2])]).first_stuck(), Some(2));
    }

    #[test]
    fn of_all_that_is_stuck_a_node_without_steps_is_shown() {
        // From 1 on no end can be reached, but only 3 has no step.
        let mut graph = graph(&[(false, &[1, 2]), (false, &[3]), (true, &[]), (false, &[])]);
        assert_eq!(graph.first_final_stuck(), Some(3));
        assert_eq!(graph.first_stuck(), Some(3));
    }

    #[test]
    fn the_way_to_a_node_is_the_one_that_reached_it_first() {
        // 0 and 1 are initial; 2 is reached from 1, 3 from 2, and both lead back.
        let graph = graph(&[(false, &[]), (false, &[2]), (false, &[3, 1]), (false, &[2, 1])]);
        assert_eq!(graph.path_to(3), [1, 2, 3]);
        assert_eq!(graph.path_to(1), [1]);
        assert_eq!(graph.path_to(0), [0]);
    }

    /// Compares with the definition, one node at a time, on random graphs.
    #[test]
    fn it_is_what_the_definition_says() {
        let mut random = fastrand::Rng::with_seed(20);
        for _ in 0..2_000 {
            let count = random.u32(1..9);
            let nodes: Vec<(bool, Vec<u32>)> = (0..count)
                .map(|_| (random.u8(..5) == 0, (0..random.u32(..3)).map(|_| random.u32(..count)).collect()))
                .collect();
            let mut graph = Graph::default();
            nodes.iter().for_each(|(is_end, successors)| graph.add(*is_end, successors));
            let can_end = |from: u32| {
                let (mut seen, mut pending) = (vec![false; nodes.len()], vec![from]);
                while let Some(node) = pending.pop() {
                    if !std::mem::replace(&mut seen[node as usize], true) {
                        pending.extend(&nodes[node as usize].1);
                    }
                }
                (0..nodes.len()).any(|it| seen[it] && nodes[it].0)
            };
            let stuck: Vec<usize> = (0..nodes.len()).filter(|it| !can_end(*it as u32)).collect();
            match graph.first_stuck() {
                None => assert!(stuck.is_empty(), "{nodes:?}"),
                Some(found) => assert!(stuck.contains(&found), "{nodes:?}: {found}"),
            }
        }
    }
}
