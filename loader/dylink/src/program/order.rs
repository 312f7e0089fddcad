//! Orders of modules that need each other.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::Hash;

use hashbrown::HashSet;

/// Returns `root` and all it needs, breadth first, each once.
pub(crate) fn breadth_first<N: Copy + Eq + Hash>(
    root: N,
    mut needs: impl FnMut(N) -> Vec<N>,
) -> Vec<N> {
    let mut seen: HashSet<N> = HashSet::from_iter([root]);
    let mut queue = VecDeque::from([root]);
    let mut order = Vec::new();
    while let Some(node) = queue.pop_front() {
        order.push(node);
        queue.extend(needs(node).into_iter().filter(|need| seen.insert(*need)));
    }
    order
}

/// Returns all that can be reached from `roots`, each after what it needs, as far as cycles allow; without those that were `seen`.
pub(crate) fn after_what_they_need<N: Copy + Eq + Hash>(
    roots: impl Iterator<Item = N>,
    seen: &mut HashSet<N>,
    needs: impl Fn(N) -> Vec<N>,
) -> Vec<N> {
    let mut order = Vec::new();
    // Depth first with a stack of its own: a long chain of libraries must not overflow the host's.
    let mut stack = Vec::new();
    for root in roots {
        if seen.insert(root) {
            stack.push((root, needs(root).into_iter()));
        }
        while let Some((node, left)) = stack.last_mut() {
            match left.next() {
                Some(need) if seen.insert(need) => {
                    stack.push((need, needs(need).into_iter()));
                }
                Some(_) => {}
                None => {
                    order.push(*node);
                    stack.pop();
                }
            }
        }
    }
    order
}
