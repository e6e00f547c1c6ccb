/* What an XLSX workbook holds beside cells and has words in: comments, threads of them, charts, drawings. */
#pragma once
#include "extractd/worker/formats/zip_parts.h"

bool xlsx_extras_want(const char *path);
/* 0; -ETIME, -EPIPE, -ENOMEM. A damaged part is passed over with a warning. */
int xlsx_put_extras(const struct zip_parts *parts, struct sink *sink);
