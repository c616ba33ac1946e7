// JSON lines of requests to Arrow columns.
#include "kernel.h"

PyMethodDef json_requests_methods[] = {{NULL, NULL, 0, NULL}};
