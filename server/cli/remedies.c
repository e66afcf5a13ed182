/*
 * remedies.c - see remedies.h.
 */
#include "server/cli/remedies.h"

#include <string.h>

#include "base/attr.h"
#include "base/str.h"

/* The first row that fits counts. */
static const struct {
    const char *what;
    const char *key; /* the pointer ends with it; "": any */
    const char *remedy;
} rows[] = {
    { "certificate", "/key_file",
      "name the key of this certificate, not encrypted, readable for the server's user only" },
    { "certificate", "", "renew it, or name the right files in http.tls; no restart is needed" },
    { "names", "",
      "request a certificate with the host name that senders call as a subjectAltName" },
    { "chain", "",
      "put the server's certificate first, each issuer after it; EventBridge needs a public CA" },
    { "secret", "",
      "write the secret on the first line, nothing before or after it, readable for the server" },
    { "keys", "", "check auth.bearer: the key set must be reachable and have keys for signatures" },
    { "transform", "", "correct the transform; sluice explain shows each step of an event" },
    { "registry", "", "correct registry and aws" },
    { "schema", "", "correct registry and schema of the route, or the schema; sluice schema get" },
    { "shadow", "", "correct the shadow of the route; events are served without it" },
    { "store", "",
      "set store.path to a file on a local disk that only this server uses and may write to" },
    { "volume", "", "put the store on a disk that outlives the container and the machine" },
    { "disk", "", "free space on that disk, or use a larger one" },
    { "cache", "", "let the server's user write to registry.cache_dir" },
    { "sink", "/url", "correct url, TLS files and credentials of the sink, or mend its target" },
    { "sink", "/path", "correct the path, or let the server's user write there" },
    { "sink", "/topic", "correct brokers, tls, sasl and topic, or create the topic" },
    { "sink", "/oauth", "correct the client of the token server, or let it have the scope" },
    { "sink", "", "correct name, region and credentials of the sink, or its rights (docs/iam)" },
    { "collector", "",
      "correct tracing.endpoint and ca_file, or start the collector; events are served without" },
    { "clock", "", "synchronize the clock: tokens, signatures and times depend on it" },
    { "library", "", "install libmicrohttpd 1.0.10 or newer, or listen on loopback" },
    { "lambda", "", "set the variable of the function, docs/deploy/lambda.md" },
    { "address", "",
      "stop what listens there, or choose another; below 1024 needs CAP_NET_BIND_SERVICE" },
    { "descriptors", "", "raise LimitNOFILE of the unit (ulimit -n), or lower the key" },
    { "rule", "", "correct the rule, its API destination or connection, docs/eventbridge.md" },
    { "file", "", "create the file, readable for the server's user, or correct the key" },
    { "credentials", "", "give the machine a role, or set aws.profile or the environment" },
    { "region", "", "set aws.region" },
    { "permission", "", "add the right to the role or user (docs/iam)" },
    { "listen", "", "set http.tls, or listen on loopback behind a proxy that has TLS" },
    { "auth", "", "add a credential under auth, unless the network admits only senders" },
};

const char *remedy_of(const char *what, const char *pointer)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].what, what) == 0 &&
            str_ends_with(str_from_c(pointer), str_from_c(rows[i].key)))
            return rows[i].remedy;
    return "see docs/operations.md";
}
