/*
 * folder.h - a temporary folder for one test.
 *
 * A function that fails ends the test program.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { FOLDER_PATH_SIZE = 256 };

struct folder {
    char path[FOLDER_PATH_SIZE];
};

/** Make an empty folder. */
void folder_init(struct folder *folder);

/** Remove the folder and its contents. */
void folder_done(struct folder *folder);

/** Write the path of the file `name` in the folder. */
void folder_path(const struct folder *folder, const char *name, char path[static FOLDER_PATH_SIZE]);

/** Write a file and move it into place, so that readers see all of it or nothing. Makes parents. */
void folder_write(const struct folder *folder, const char *name, struct str bytes);

/** Set the modification time of the file `name`, in seconds since 1970. */
void folder_set_time(const struct folder *folder, const char *name, int64_t seconds);

/** Remove the file `name`. */
void folder_remove(const struct folder *folder, const char *name);
