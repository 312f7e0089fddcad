/* Names and numbers of the network, as far as one can tell without a network.
 *
 * libc has none of <netdb.h> on WASI.  Numeric addresses and `localhost` are
 * known; any other name fails with EAI_NONAME.  There are no tables of
 * services, protocols or hosts.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One answer of getaddrinfo, freed as a whole. */
struct answer {
    struct addrinfo info;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    char name[];
};

static int
parse_port(const char *service, in_port_t *port)
{
    *port = 0;
    if (service == NULL) {
        return 0;
    }
    char *end;
    unsigned long number = strtoul(service, &end, 10);
    if (service[0] < '0' || service[0] > '9' || *end != '\0') {
        return EAI_SERVICE;
    }
    *port = htons((uint16_t)number);
    return number <= USHRT_MAX ? 0 : EAI_SERVICE;
}

static int
parse_host(const char *host, const struct addrinfo *hints,
           struct in_addr *v4, struct in6_addr *v6, int *family)
{
    int passive = hints->ai_flags & AI_PASSIVE;
    if (host == NULL
        || (strcmp(host, "localhost") == 0
            && !(hints->ai_flags & AI_NUMERICHOST))) {
        int any = host == NULL && passive;
        *family = hints->ai_family == AF_INET6 ? AF_INET6 : AF_INET;
        v4->s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK);
        memset(v6, 0, sizeof(*v6));
        ((unsigned char *)v6)[15] = !any;  // ::1, or ::
        return 0;
    }
    if (inet_pton(AF_INET, host, v4) == 1) {
        *family = AF_INET;
    }
    else if (inet_pton(AF_INET6, host, v6) == 1) {
        *family = AF_INET6;
    }
    else {
        return EAI_NONAME;
    }
    return hints->ai_family == AF_UNSPEC || hints->ai_family == *family
           ? 0 : EAI_FAMILY;
}

int
getaddrinfo(const char *restrict host, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict result)
{
    static const struct addrinfo no_hints;
    struct in_addr v4;
    struct in6_addr v6;
    in_port_t port;
    int family;

    if (hints == NULL) {
        hints = &no_hints;
    }
    if (host == NULL && service == NULL) {
        return EAI_NONAME;
    }
    int error = parse_port(service, &port);
    if (error == 0) {
        error = parse_host(host, hints, &v4, &v6, &family);
    }
    if (error != 0) {
        return error;
    }

    /* As elsewhere, one answer a socket type when the caller leaves it open. */
    int types[] = {SOCK_STREAM, SOCK_DGRAM};
    struct addrinfo **next = result;
    *result = NULL;
    for (int i = 0; i < 2; i++) {
        if (hints->ai_socktype != 0 && hints->ai_socktype != types[i]) {
            continue;
        }
        const char *name = host != NULL && (hints->ai_flags & AI_CANONNAME)
                           ? host : "";
        struct answer *answer = calloc(1, sizeof(*answer) + strlen(name) + 1);
        if (answer == NULL) {
            freeaddrinfo(*result);
            return EAI_MEMORY;
        }
        strcpy(answer->name, name);
        answer->info = (struct addrinfo){
            .ai_family = family,
            .ai_socktype = types[i],
            .ai_protocol = types[i] == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP,
            .ai_addr = &answer->address.any,
            .ai_canonname = name[0] == '\0' ? NULL : answer->name,
        };
        if (family == AF_INET) {
            answer->info.ai_addrlen = sizeof(answer->address.v4);
            answer->address.v4.sin_family = AF_INET;
            answer->address.v4.sin_port = port;
            answer->address.v4.sin_addr = v4;
        }
        else {
            answer->info.ai_addrlen = sizeof(answer->address.v6);
            answer->address.v6.sin6_family = AF_INET6;
            answer->address.v6.sin6_port = port;
            answer->address.v6.sin6_addr = v6;
        }
        *next = &answer->info;
        next = &answer->info.ai_next;
    }
    return *result == NULL ? EAI_SOCKTYPE : 0;
}

void
freeaddrinfo(struct addrinfo *info)
{
    while (info != NULL) {
        struct addrinfo *next = info->ai_next;
        free(info);  // the first member of a struct answer
        info = next;
    }
}

int
getnameinfo(const struct sockaddr *restrict address, socklen_t length,
            char *restrict host, socklen_t host_size,
            char *restrict service, socklen_t service_size, int flags)
{
    const void *number;
    in_port_t port;
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        number = &v4->sin_addr;
        port = v4->sin_port;
    }
    else if (address->sa_family == AF_INET6
             && length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        number = &v6->sin6_addr;
        port = v6->sin6_port;
    }
    else {
        return EAI_FAMILY;
    }
    if (host != NULL && host_size > 0) {
        if (flags & NI_NAMEREQD) {
            return EAI_NONAME;
        }
        if (inet_ntop(address->sa_family, number, host, host_size) == NULL) {
            return EAI_OVERFLOW;
        }
    }
    if (service != NULL && service_size > 0) {
        int size = snprintf(service, service_size, "%d", ntohs(port));
        if (size < 0 || (socklen_t)size >= service_size) {
            return EAI_OVERFLOW;
        }
    }
    return 0;
}

/* glibc's texts. */
const char *
gai_strerror(int error)
{
    switch (error) {
    case EAI_NONAME: return "Name or service not known";
    case EAI_SERVICE: return "Servname not supported for ai_socktype";
    case EAI_FAMILY: return "ai_family not supported";
    case EAI_SOCKTYPE: return "ai_socktype not supported";
    case EAI_MEMORY: return "Memory allocation failure";
    case EAI_OVERFLOW: return "Argument buffer overflow";
    default: return "Unknown error";
    }
}

static int last_host_error;

int *
__h_errno_location(void)
{
    return &last_host_error;
}

const char *
hstrerror(int error)
{
    return error == HOST_NOT_FOUND ? "Unknown host" : "Unknown resolver error";
}

struct hostent *
gethostbyname(const char *name)
{
    (void)name;
    last_host_error = HOST_NOT_FOUND;
    return NULL;
}

struct hostent *
gethostbyaddr(const void *address, socklen_t length, int family)
{
    (void)address, (void)length, (void)family;
    last_host_error = HOST_NOT_FOUND;
    return NULL;
}

struct servent *
getservbyname(const char *name, const char *protocol)
{
    (void)name, (void)protocol;
    return NULL;
}

struct servent *
getservbyport(int port, const char *protocol)
{
    (void)port, (void)protocol;
    return NULL;
}

struct protoent *
getprotobyname(const char *name)
{
    (void)name;
    return NULL;
}

char *
inet_ntoa(struct in_addr address)
{
    static char text[INET_ADDRSTRLEN];
    return (char *)inet_ntop(AF_INET, &address, text, sizeof(text));
}

int
gethostname(char *name, size_t size)
{
    static const char hostname[] = "localhost";
    if (size < sizeof(hostname)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, hostname, sizeof(hostname));
    return 0;
}
