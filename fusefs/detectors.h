/* libmagic's databases, one for each thread that judges at the moment: taken, used, put back. Thread-safe. */
#pragma once
#include "shared/validate/validate.h"

struct detectors;

struct detectors *detectors_new(void); /* NULL on no memory */
void detectors_free(struct detectors *detectors);
/* Loads a database when none is free. NULL: it could not be loaded (logged). */
struct detector *detectors_take(struct detectors *detectors);
void detectors_put(struct detectors *detectors, struct detector *detector);
