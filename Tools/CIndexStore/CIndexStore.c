#include "CIndexStore.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* From indexstore.h of the LLVM project; all handles are opaque. */
typedef struct {
    const char *data;
    size_t length;
} string_ref;
enum { DEPENDENCY_RECORD = 2 };

static struct {
    void *(*store_create)(const char *path, void **error);
    void (*store_dispose)(void *store);
    bool (*units_apply)(void *store, unsigned sorted, void *context, bool (*apply)(void *context, string_ref name));
    void *(*unit_create)(void *store, const char *name, void **error);
    void (*unit_dispose)(void *unit);
    bool (*unit_is_system)(void *unit);
    string_ref (*unit_file)(void *unit);
    string_ref (*unit_module)(void *unit);
    bool (*dependencies_apply)(void *unit, void *context, bool (*apply)(void *context, void *dependency));
    int (*dependency_kind)(void *dependency);
    string_ref (*dependency_name)(void *dependency);
    string_ref (*dependency_file)(void *dependency);
    void *(*record_create)(void *store, const char *name, void **error);
    void (*record_dispose)(void *record);
    bool (*occurrences_apply)(void *record, void *context, bool (*apply)(void *context, void *occurrence));
    void *(*occurrence_symbol)(void *occurrence);
    uint64_t (*occurrence_roles)(void *occurrence);
    string_ref (*symbol_usr)(void *symbol);
} api;

static const struct {
    const char *name;
    void *function;
} functions[] = {
    {"store_create", &api.store_create},
    {"store_dispose", &api.store_dispose},
    {"store_units_apply_f", &api.units_apply},
    {"unit_reader_create", &api.unit_create},
    {"unit_reader_dispose", &api.unit_dispose},
    {"unit_reader_is_system_unit", &api.unit_is_system},
    {"unit_reader_get_main_file", &api.unit_file},
    {"unit_reader_get_module_name", &api.unit_module},
    {"unit_reader_dependencies_apply_f", &api.dependencies_apply},
    {"unit_dependency_get_kind", &api.dependency_kind},
    {"unit_dependency_get_name", &api.dependency_name},
    {"unit_dependency_get_filepath", &api.dependency_file},
    {"record_reader_create", &api.record_create},
    {"record_reader_dispose", &api.record_dispose},
    {"record_reader_occurrences_apply_f", &api.occurrences_apply},
    {"occurrence_get_symbol", &api.occurrence_symbol},
    {"occurrence_get_roles", &api.occurrence_roles},
    {"symbol_get_usr", &api.symbol_usr},
};

struct reading {
    void *store, *context;
    void (*found)(void *context, const struct cix_occurrence *occurrence);
    char *module, *file;
};

static char *copy(string_ref text) {
    char *result = malloc(text.length + 1);
    if (!result) abort();
    memcpy(result, text.data, text.length);
    result[text.length] = 0;
    return result;
}

static bool read_occurrence(void *context, void *handle) {
    struct reading *reading = context;
    string_ref usr = api.symbol_usr(api.occurrence_symbol(handle));
    struct cix_occurrence occurrence = {
        reading->module, reading->file, usr.data, usr.length, api.occurrence_roles(handle)};
    reading->found(reading->context, &occurrence);
    return true;
}

static bool read_dependency(void *context, void *dependency) {
    struct reading *reading = context;
    string_ref file = api.dependency_file(dependency);
    if (api.dependency_kind(dependency) != DEPENDENCY_RECORD || file.length != strlen(reading->file) ||
        memcmp(file.data, reading->file, file.length) != 0)
        return true;
    char *name = copy(api.dependency_name(dependency));
    void *error = NULL, *record = api.record_create(reading->store, name, &error);
    if (record) {
        api.occurrences_apply(record, reading, read_occurrence);
        api.record_dispose(record);
    }
    free(name);
    return true;
}

static bool read_unit(void *context, string_ref reference) {
    struct reading *reading = context;
    char *name = copy(reference);
    void *error = NULL, *unit = api.unit_create(reading->store, name, &error);
    if (unit) {
        if (!api.unit_is_system(unit)) {
            reading->module = copy(api.unit_module(unit));
            reading->file = copy(api.unit_file(unit));
            if (*reading->file) api.dependencies_apply(unit, reading, read_dependency);
            free(reading->module);
            free(reading->file);
        }
        api.unit_dispose(unit);
    }
    free(name);
    return true;
}

const char *cix_read(
    const char *library, const char *store, void *context,
    void (*found)(void *context, const struct cix_occurrence *occurrence)) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return dlerror();
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        char name[64] = "indexstore_";
        strncat(name, functions[index].name, sizeof name - 16);
        void *symbol = dlsym(handle, name);
        if (!symbol) return dlerror();
        memcpy(functions[index].function, &symbol, sizeof symbol);
    }
    void *error = NULL;
    struct reading reading = {.store = api.store_create(store, &error), .context = context, .found = found};
    if (!reading.store) return "the index cannot be opened: build first";
    api.units_apply(reading.store, 1, &reading, read_unit);
    api.store_dispose(reading.store);
    return NULL;
}
