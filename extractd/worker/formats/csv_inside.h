/* Inside of the CSV reader: csv_reader.c fills the buffer, csv_cut.c makes rows of it. */
#pragma once
#include "extractd/worker/formats/csv_reader.h"

enum { CSV_ROWS_MAX = 1024 /* of a batch */ };

/* One batch from what is in the buffer; 0 rows: more has to be read. -ENOMEM. */
int csv_cut_batch(struct csv_reader *reader, struct csv_batch *ret_batch);
