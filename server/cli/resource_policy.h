/*
 * resource_policy.h - what the policy of a queue or a bus says about one call.
 *
 * Knows principals, actions, resources, and the conditions on aws:SourceArn and aws:SourceAccount.
 * A statement with anything else counts as one that allows, and not as one that denies.
 *
 * Threads: any.
 */
#pragma once

#include "base/str.h"

enum resource_verdict {
    RESOURCE_SILENT, /* no statement is about the call */
    RESOURCE_ALLOWED,
    RESOURCE_DENIED,
};

/** A resource of "" matches. With a source of "" the conditions on it are not known. */
struct resource_call {
    const char *service;   /* the principal, as events.amazonaws.com; "": any caller */
    const char *action;    /* in lower case, as sqs:sendmessage */
    struct str resource;   /* the ARN that the policy belongs to */
    struct str source_arn; /* of the caller; its fifth part is the account */
};

/** A policy that is not a JSON object is silent. */
enum resource_verdict resource_policy_judge(struct str policy, const struct resource_call *call);
