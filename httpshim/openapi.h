/* The OpenAPI 3.1 document, written from the table of routes. */
#pragma once

struct buf;
int openapi_put(struct buf *buf);
