/*
 * process_usage.h - what this process uses of the machine: CPU time, memory, descriptors.
 *
 * Threads: any.
 */
#pragma once

/** Numbers that could not be read are 0. */
struct process_usage {
    double cpu_seconds;
    double resident_bytes;
    double virtual_bytes;
    double open_fds;
    double max_fds;
};

void process_usage_read(struct process_usage *out);
