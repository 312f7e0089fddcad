"""The texts of all errors that WASI has, and exceptions that show them."""

import errno
import os

NAMES = """
E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECANCELED ECHILD ECONNABORTED
ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT EEXIST EFAULT EFBIG EHOSTUNREACH EIDRM EILSEQ EINPROGRESS EINTR
EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE EMULTIHOP ENAMETOOLONG ENETDOWN ENETRESET ENETUNREACH ENFILE ENOBUFS
ENODEV ENOENT ENOEXEC ENOLCK ENOLINK ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTRECOVERABLE
ENOTSOCK ENOTSUP EOPNOTSUPP ENOTTY ENXIO EOVERFLOW EOWNERDEAD EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS
ESPIPE ESRCH ESTALE ETIMEDOUT ETXTBSY EXDEV EWOULDBLOCK
""".split()

for name in NAMES:
    number = getattr(errno, name)
    error = OSError(number, os.strerror(number))
    print(name, os.strerror(number), type(error).__name__)
print(os.strerror(0), os.strerror(4321), os.strerror(-1))


def says(call):
    try:
        call()
    except OSError as error:
        print(errno.errorcode[error.errno], error.strerror, type(error).__name__)


says(lambda: open("/nowhere"))
says(lambda: os.mkdir("/tmp"))
says(lambda: os.listdir(__file__))
says(lambda: os.read(99, 1))
says(lambda: os.readlink("/tmp"))
says(lambda: open("/tmp/" + "x" * 300))
says(lambda: os.lseek(os.pipe()[0], 0, 0))
