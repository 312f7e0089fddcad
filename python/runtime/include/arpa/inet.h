/* What libc's header leaves out on WASI: an address as text in a buffer of
   libc's own.  netdb.c has the function. */

#ifndef PYMODE_ARPA_INET_H
#define PYMODE_ARPA_INET_H

#include_next <arpa/inet.h>

#ifdef __cplusplus
extern "C" {
#endif

char *inet_ntoa(struct in_addr);

#ifdef __cplusplus
}
#endif

#endif
