/*
 * Part of the key of every extraction job and result. Raised whenever any extractor's results change (extractor.version
 * in extractd/worker/extractors/ says which); `adminctl job rerun --extractor NAME` then queues the content that one
 * had read.
 */
#pragma once

#define EXTRACTOR_VERSION 1
