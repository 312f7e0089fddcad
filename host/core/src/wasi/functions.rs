//! The list of all functions, for hosts to bind.

/// Calls a macro with every function of `wasi_snapshot_preview1` but `proc_exit`, which never returns: name, whether it takes the guest's
/// memory, and its parameters with their types on the wasm side. All of them return an `errno`, an `i32`.
///
/// ```
/// macro_rules! names {
///     ($($kind:ident fn $name:ident($($param:ident: $type:ty),*);)*) => { [$(stringify!($name)),*] };
/// }
/// let names = pymode_host::wasi_functions!(names);
/// assert!(names.contains(&"fd_read"));
/// ```
#[macro_export]
macro_rules! wasi_functions {
    ($bind:ident) => {
        $bind! {
            memory fn args_get(argv: u32, buffer: u32);
            memory fn args_sizes_get(count: u32, size: u32);
            memory fn clock_res_get(clock: u32, out: u32);
            memory fn clock_time_get(clock: u32, precision: u64, out: u32);
            memory fn environ_get(environ: u32, buffer: u32);
            memory fn environ_sizes_get(count: u32, size: u32);
            plain fn fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
            plain fn fd_allocate(fd: u32, offset: u64, len: u64);
            plain fn fd_close(fd: u32);
            plain fn fd_datasync(fd: u32);
            memory fn fd_fdstat_get(fd: u32, out: u32);
            plain fn fd_fdstat_set_flags(fd: u32, flags: u32);
            plain fn fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            memory fn fd_filestat_get(fd: u32, out: u32);
            plain fn fd_filestat_set_size(fd: u32, size: u64);
            plain fn fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
            memory fn fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nread: u32);
            memory fn fd_prestat_dir_name(fd: u32, at: u32, len: u32);
            memory fn fd_prestat_get(fd: u32, out: u32);
            memory fn fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nwritten: u32);
            memory fn fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32);
            memory fn fd_readdir(fd: u32, buffer: u32, len: u32, cookie: u64, used: u32);
            plain fn fd_renumber(fd: u32, to: u32);
            memory fn fd_seek(fd: u32, offset: u64, whence: u32, out: u32);
            plain fn fd_sync(fd: u32);
            memory fn fd_tell(fd: u32, out: u32);
            memory fn fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32);
            memory fn path_create_directory(fd: u32, path: u32, path_len: u32);
            memory fn path_filestat_get(fd: u32, flags: u32, path: u32, path_len: u32, out: u32);
            memory fn path_filestat_set_times(fd: u32, flags: u32, path: u32, path_len: u32, accessed: u64, modified: u64, time_flags: u32);
            memory fn path_link(old_fd: u32, old_flags: u32, old_path: u32, old_path_len: u32, new_fd: u32, new_path: u32, new_path_len: u32);
            memory fn path_open(fd: u32, lookup_flags: u32, path: u32, path_len: u32, oflags: u32, rights: u64, inheriting: u64, fdflags: u32, out: u32);
            memory fn path_readlink(fd: u32, path: u32, path_len: u32, buffer: u32, buffer_len: u32, used: u32);
            memory fn path_remove_directory(fd: u32, path: u32, path_len: u32);
            memory fn path_rename(fd: u32, old_path: u32, old_path_len: u32, new_fd: u32, new_path: u32, new_path_len: u32);
            memory fn path_symlink(target: u32, target_len: u32, fd: u32, path: u32, path_len: u32);
            memory fn path_unlink_file(fd: u32, path: u32, path_len: u32);
            memory fn poll_oneoff(subscriptions: u32, events: u32, count: u32, used: u32);
            plain fn proc_raise(signal: u32);
            memory fn random_get(at: u32, len: u32);
            plain fn sched_yield();
            plain fn sock_accept(fd: u32, flags: u32, out: u32);
            memory fn sock_recv(fd: u32, iovs: u32, iovs_len: u32, flags: u32, nread: u32, out_flags: u32);
            memory fn sock_send(fd: u32, iovs: u32, iovs_len: u32, flags: u32, nwritten: u32);
            plain fn sock_shutdown(fd: u32, how: u32);
        }
    };
}

/// Calls a macro with the functions of the import module `pymode` that are about files, as [`wasi_functions!`] does: all of them
/// take the guest's memory and return an `errno`, but `fchmod` and `fd_lock`, which need no memory, and `umask`, which returns a mask.
#[macro_export]
macro_rules! file_functions {
    ($bind:ident) => {
        $bind! {
            memory fn chdir(fd: u32, path: u32, path_len: u32);
            memory fn faccessat(fd: u32, path: u32, path_len: u32, wanted: u32, flags: u32);
            plain fn fchmod(fd: u32, mode: u32);
            memory fn fchmodat(fd: u32, path: u32, path_len: u32, mode: u32, flags: u32);
            memory fn fd_dup(fd: u32, to: u32, exactly: u32, out: u32);
            plain fn fd_lock(fd: u32, kind: u32, start: u64, len: u64);
            memory fn fd_lock_test(fd: u32, kind: u32, start: u64, len: u64, place: u32, held: u32);
            memory fn fd_pair(kind: u32, out: u32);
            memory fn fstat(fd: u32, out: u32);
            memory fn fstatat(fd: u32, path: u32, path_len: u32, flags: u32, out: u32);
            memory fn getcwd(buffer: u32, room: u32, out: u32);
            memory fn mkdirat(fd: u32, path: u32, path_len: u32, mode: u32);
            memory fn openat(fd: u32, path: u32, path_len: u32, flags: u32, mode: u32, out: u32);
        }
    };
}
