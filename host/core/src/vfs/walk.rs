//! From a path of the guest to the file system that has it.
//!
//! A file system sees no `..` of the guest's: which directory that is, only the whole tree can say, where a name before it may be a
//! link, a mount point, or not there.

use super::path::{Ending, MAX_LINKS, MAX_NAME, MAX_PATH, absolute, names, parent};
use super::{Answer, FileKind, Follow, FsError, GuestPath, Located, Stat, Vfs};
use crate::Errno;

/// Remaining number of symbolic links in one call.
struct Links(u32);

impl Links {
    fn follow(&mut self) -> Result<(), Errno> {
        self.0 = self.0.checked_sub(1).ok_or(Errno::Loop)?;
        Ok(())
    }
}

impl Vfs {
    /// Does something at a path, following where file systems say that the path continues elsewhere.
    pub(super) fn at<T>(
        &mut self,
        path: GuestPath<'_>,
        act: impl Fn(&mut Vfs, &Located) -> Answer<T>,
    ) -> Result<T, Errno> {
        let mut place = std::mem::replace(&mut self.scratch, Located::new());
        let done = self.at_place(path, &mut place, &mut Links(MAX_LINKS), act);
        self.scratch = place;
        done
    }

    fn at_place<T>(
        &mut self,
        path: GuestPath<'_>,
        place: &mut Located,
        links: &mut Links,
        act: impl Fn(&mut Vfs, &Located) -> Answer<T>,
    ) -> Result<T, Errno> {
        self.locate(path, place, links)?;
        loop {
            match act(self, place) {
                Ok(done) => return Ok(done),
                Err(FsError::Errno(errno)) => return Err(errno),
                Err(FsError::Leaves { path: onward }) => {
                    links.follow()?;
                    let ending = place.ending;
                    let base = self.mounts.path_of(place.fs);
                    let onward = GuestPath {
                        base: &base,
                        path: &onward,
                    };
                    self.locate(onward, place, links)?;
                    // It is the guest's path that says how this one is to be taken, unless the link wants a directory.
                    if ending.wants_directory() {
                        place.ending = ending;
                    }
                }
            }
        }
    }

    /// Does something with two paths of one file system.
    pub(super) fn at_both(
        &mut self,
        from: GuestPath<'_>,
        to: GuestPath<'_>,
        act: impl Fn(&mut Vfs, &Located, &Located) -> Answer<()>,
    ) -> Result<(), Errno> {
        let mut target = Located::new();
        let mut links = Links(MAX_LINKS);
        self.locate(to, &mut target, &mut links)?;
        match self.with_target(from, &target, &act) {
            // A link in the second path may have led out of the file system, and back into it.
            Err(Errno::Xdev) => {
                let ending = target.ending;
                let path = self.without_links_before_last(to, &mut links)?;
                self.locate(GuestPath::absolute(&path), &mut target, &mut links)?;
                target.ending = ending;
                self.with_target(from, &target, &act)
            }
            done => done,
        }
    }

    fn with_target(
        &mut self,
        from: GuestPath<'_>,
        target: &Located,
        act: impl Fn(&mut Vfs, &Located, &Located) -> Answer<()>,
    ) -> Result<(), Errno> {
        self.at(from, |vfs, source| act(vfs, source, target))
    }

    /// The absolute path of a directory, by which it is known from now on.
    pub(super) fn directory_path(&mut self, path: GuestPath<'_>) -> Result<Vec<u8>, Errno> {
        match self.without_parents(path, &mut Links(MAX_LINKS))? {
            Some(plain) => Ok(plain),
            None => Ok(absolute(path.names())),
        }
    }

    /// The absolute path of a directory, without symbolic links.
    ///
    /// # Errors
    /// As `chdir(2)`.
    pub fn real_directory(&mut self, path: GuestPath<'_>) -> Result<Vec<u8>, Errno> {
        check(path.path)?;
        let whole: Vec<_> = path.names().collect();
        let real = self.without_links(&whole, &mut Links(MAX_LINKS))?;
        Ok(if real.is_empty() { b"/".to_vec() } else { real })
    }

    fn locate(
        &mut self,
        path: GuestPath<'_>,
        place: &mut Located,
        links: &mut Links,
    ) -> Result<(), Errno> {
        check(path.path)?;
        match self.without_parents(path, links)? {
            Some(plain) => self.mounts.locate(names(&plain), place),
            None => self.mounts.locate(path.names(), place),
        }
        place.ending = Ending::of(path.path);
        Ok(())
    }

    /// The same path without `..`, if it has any. All before the last of them must be directories.
    fn without_parents(
        &mut self,
        path: GuestPath<'_>,
        links: &mut Links,
    ) -> Result<Option<Vec<u8>>, Errno> {
        let is_plain = |name: &[u8]| name != b".." && name.len() <= MAX_NAME;
        if path.names().all(is_plain) {
            return Ok(None);
        }
        let whole: Vec<_> = path.names().collect();
        if let Some(long) = whole.iter().position(|name| name.len() > MAX_NAME) {
            // What stands before a name is looked up first.
            self.without_links(&whole[..long], links)?;
            return Err(Errno::NameTooLong);
        }
        let last = whole.iter().rposition(|name| *name == b"..");
        let (before, behind) = whole.split_at(last.map_or(0, |last| last + 1));
        let mut plain = self.without_links(before, links)?;
        for name in behind {
            plain.push(b'/');
            plain.extend_from_slice(name);
        }
        Ok(Some(plain))
    }

    /// A path whose directory has no symbolic links.
    fn without_links_before_last(
        &mut self,
        path: GuestPath<'_>,
        links: &mut Links,
    ) -> Result<Vec<u8>, Errno> {
        let plain = match self.without_parents(path, links)? {
            Some(plain) => plain,
            None => absolute(path.names()),
        };
        let whole: Vec<_> = names(&plain).collect();
        let Some((last, before)) = whole.split_last() else {
            return Ok(plain);
        };
        let directory = self.without_links(before, links)?;
        Ok([&directory, *last].join(&b'/'))
    }

    /// The absolute path of a directory without symbolic links, from the names that lead there; empty for the root.
    fn without_links(&mut self, path: &[&[u8]], links: &mut Links) -> Result<Vec<u8>, Errno> {
        let mut real = Vec::new();
        // The next name is the last.
        let mut rest: Vec<Vec<u8>> = path.iter().rev().map(|name| name.to_vec()).collect();
        while let Some(name) = rest.pop() {
            let above = real.len();
            if name == b".." {
                real.truncate(parent(&real).len());
                continue;
            }
            if name.len() > MAX_NAME {
                return Err(Errno::NameTooLong);
            }
            real.push(b'/');
            real.extend_from_slice(&name);
            let here = GuestPath::absolute(&real);
            match self.stat_within(here, links)?.kind {
                FileKind::Directory => {}
                FileKind::SymbolicLink => {
                    links.follow()?;
                    let target = self.read_link(here)?;
                    let keeps = if target.starts_with(b"/") { 0 } else { above };
                    real.truncate(keeps);
                    let onward: Vec<_> = names(&target).map(<[u8]>::to_vec).collect();
                    rest.extend(onward.into_iter().rev());
                }
                _ => return Err(Errno::NotDir),
            }
        }
        Ok(real)
    }

    fn stat_within(&mut self, path: GuestPath<'_>, links: &mut Links) -> Result<Stat, Errno> {
        self.at_place(path, &mut Located::new(), links, |vfs, place| {
            vfs.stat_place(place, Follow::No)
        })
    }
}

fn check(path: &[u8]) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::NoEnt);
    }
    if path.contains(&0) {
        return Err(Errno::Inval);
    }
    if path.len() >= MAX_PATH {
        return Err(Errno::NameTooLong);
    }
    Ok(())
}
