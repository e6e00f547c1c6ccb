#include "shared/validate/file_types.h"

#include <stddef.h>
#include <string.h>

#define OOXML "application/vnd.openxmlformats-officedocument."
#define ODF   "application/vnd.oasis.opendocument."

enum {
	T = FAMILY_TEXT,
	D = FAMILY_DOCUMENT,
	I = FAMILY_IMAGE,
	A = FAMILY_AUDIO,
	V = FAMILY_VIDEO,
	Z = FAMILY_ARCHIVE,
	X = FAMILY_EXECUTABLE
};

/* In alphabetical order. The defaults are the formats that are read, and what the older services took. */
// clang-format off
static const struct extension_type extensions[] = {
	{"3gp", NULL, "a video", V | A, false, false},
	{"7z", NULL, "a 7z archive", Z, true, true},
	{"aac", NULL, "a sound", A, false, false},
	{"apk", NULL, "an Android package", Z, false, false},
	{"avi", NULL, "a video", V, false, false},
	{"avif", NULL, "an AVIF image", I, false, false},
	{"bash", "text/x-shellscript", "a shell script", T, true, false},
	{"bmp", NULL, "a BMP image", I, false, false},
	{"bz2", NULL, "a bzip2 archive", Z, true, true},
	{"c", "text/x-c", "source code", T, true, false},
	{"cab", NULL, "a cabinet archive", Z, false, false},
	{"cc", "text/x-c++", "source code", T, true, false},
	{"cfg", "text/plain", "a configuration file", T, true, false},
	{"com", NULL, "a program", X, false, false},
	{"conf", "text/plain", "a configuration file", T, true, false},
	{"cpio", NULL, "a cpio archive", Z, false, false},
	{"cpp", "text/x-c++", "source code", T, true, false},
	{"cs", "text/plain", "source code", T, true, false},
	{"css", "text/css", "a style sheet", T, true, false},
	{"csv", "text/csv", "a CSV table", T, true, false},
	{"cxx", "text/x-c++", "source code", T, true, false},
	{"deb", NULL, "a Debian package", Z, false, false},
	{"diff", "text/x-diff", "a diff", T, true, false},
	{"dll", NULL, "a program library", X, false, false},
	{"doc", NULL, "a Word document", D, true, false},
	{"docm", NULL, "a Word document", D, false, false},
	{"docx", NULL, "a Word document", D, true, false},
	{"dot", NULL, "a Word template", D | T, false, false},
	{"dotx", NULL, "a Word template", D, false, false},
	{"eml", "message/rfc822", "a mail", T, true, false},
	{"eps", NULL, "a PostScript document", D | I, false, false},
	{"epub", NULL, "an EPUB book", D, true, false},
	{"exe", NULL, "a program", X, false, false},
	{"flac", NULL, "a sound", A, false, false},
	{"geojson", "application/geo+json", "GeoJSON", T, true, false},
	{"gif", NULL, "a GIF image", I, true, false},
	{"go", "text/plain", "source code", T, true, false},
	{"gz", NULL, "a gzip archive", Z, true, true},
	{"h", "text/x-c", "source code", T, true, false},
	{"heic", NULL, "a HEIC image", I, false, false},
	{"hh", "text/x-c++", "source code", T, true, false},
	{"hpp", "text/x-c++", "source code", T, true, false},
	{"htm", "text/html", "an HTML page", T, true, false},
	{"html", "text/html", "an HTML page", T, true, false},
	{"ico", NULL, "an icon", I, false, false},
	{"ics", "text/calendar", "a calendar", T, true, false},
	{"ini", "text/plain", "a configuration file", T, true, false},
	{"iso", NULL, "a disc image", Z, false, false},
	{"jar", NULL, "a Java archive", Z, false, false},
	{"java", "text/x-java", "source code", T, true, false},
	{"jp2", NULL, "a JPEG 2000 image", I, false, false},
	{"jpe", NULL, "a JPEG image", I, true, false},
	{"jpeg", NULL, "a JPEG image", I, true, false},
	{"jpg", NULL, "a JPEG image", I, true, false},
	{"js", "text/javascript", "a script", T, true, false},
	{"json", "application/json", "JSON", T, true, false},
	{"jsonl", "application/x-ndjson", "JSON Lines", T, true, false},
	{"kt", "text/plain", "source code", T, true, false},
	{"log", "text/plain", "a log", T, true, false},
	{"lua", "text/x-lua", "a script", T, true, false},
	{"lz4", NULL, "an LZ4 archive", Z, false, true},
	{"lzma", NULL, "an LZMA archive", Z, false, true},
	{"m4a", NULL, "a sound", A | V, false, false},
	{"markdown", "text/markdown", "Markdown", T, true, false},
	{"mbox", "application/mbox", "a mailbox", T, true, false},
	{"mbx", "application/mbox", "a mailbox", T, true, false},
	{"md", "text/markdown", "Markdown", T, true, false},
	{"mjs", "text/javascript", "a script", T, true, false},
	{"mkv", NULL, "a video", V | A, false, false},
	{"mov", NULL, "a video", V | A, false, false},
	{"mp3", NULL, "a sound", A, false, false},
	{"mp4", NULL, "a video", V | A, false, false},
	{"mpeg", NULL, "a video", V | A, false, false},
	{"mpg", NULL, "a video", V | A, false, false},
	{"msg", NULL, "an Outlook mail", D | T, false, false},
	{"msi", NULL, "an installer", X, false, false},
	{"ndjson", "application/x-ndjson", "JSON Lines", T, true, false},
	{"odp", NULL, "an OpenDocument presentation", D, true, false},
	{"ods", NULL, "an OpenDocument spreadsheet", D, true, false},
	{"odt", NULL, "an OpenDocument text", D, true, false},
	{"ogg", NULL, "a sound", A | V, false, false},
	{"opus", NULL, "a sound", A | V, false, false},
	{"patch", "text/x-diff", "a diff", T, true, false},
	{"pdf", NULL, "a PDF document", D, true, false},
	{"php", "text/x-php", "a script", T, true, false},
	{"pl", "text/x-perl", "a script", T, true, false},
	{"pm", "text/x-perl", "a script", T, true, false},
	{"png", NULL, "a PNG image", I, true, false},
	{"pps", NULL, "a presentation", D, false, false},
	{"ppt", NULL, "a presentation", D, false, false},
	{"pptm", NULL, "a presentation", D, false, false},
	{"pptx", NULL, "a presentation", D, true, false},
	{"properties", "text/plain", "a configuration file", T, true, false},
	{"ps", NULL, "a PostScript document", D, false, false},
	{"psv", "text/csv", "a table", T, true, false},
	{"py", "text/x-python", "a script", T, true, false},
	{"r", "text/plain", "a script", T, true, false},
	{"rar", NULL, "a RAR archive", Z, false, false},
	{"rb", "text/x-ruby", "a script", T, true, false},
	{"rpm", NULL, "an RPM package", Z, false, false},
	{"rs", "text/plain", "source code", T, true, false},
	{"rst", "text/x-rst", "reStructuredText", T, true, false},
	{"rtf", NULL, "an RTF document", D, true, false},
	{"scss", "text/css", "a style sheet", T, true, false},
	{"sh", "text/x-shellscript", "a shell script", T, true, false},
	{"so", NULL, "a program library", X, false, false},
	{"sql", "application/sql", "SQL", T, true, false},
	{"srt", "application/x-subrip", "subtitles", T, true, false},
	{"svg", "image/svg+xml", "an SVG image", I | T, true, false},
	{"swift", "text/plain", "source code", T, true, false},
	{"sys", NULL, "a driver", X, false, false},
	{"tab", "text/tab-separated-values", "a table", T, true, false},
	{"tar", NULL, "a tar archive", Z, true, true},
	{"tbz2", NULL, "a tar archive", Z, true, true},
	{"tex", "text/x-tex", "TeX", T, true, false},
	{"text", "text/plain", "a text", T, true, false},
	{"tgz", NULL, "a tar archive", Z, true, true},
	{"tif", NULL, "a TIFF image", I, true, false},
	{"tiff", NULL, "a TIFF image", I, true, false},
	{"toml", "application/toml", "a configuration file", T, true, false},
	{"ts", NULL, "a script or a video", T | V, true, false},
	{"tsv", "text/tab-separated-values", "a table", T, true, false},
	{"txt", "text/plain", "a text", T, true, false},
	{"txz", NULL, "a tar archive", Z, true, true},
	{"vcf", "text/vcard", "a visiting card", T, true, false},
	{"vtt", "text/vtt", "subtitles", T, true, false},
	{"wav", NULL, "a sound", A, false, false},
	{"webm", NULL, "a video", V | A, false, false},
	{"webp", NULL, "a WebP image", I, true, false},
	{"wma", NULL, "a sound", A | V, false, false},
	{"wmv", NULL, "a video", V | A, false, false},
	{"xhtml", "application/xhtml+xml", "an HTML page", T, true, false},
	{"xls", NULL, "a spreadsheet", D, true, false},
	{"xlsb", NULL, "a spreadsheet", D, false, false},
	{"xlsm", NULL, "a spreadsheet", D, false, false},
	{"xlsx", NULL, "a spreadsheet", D, true, false},
	{"xml", "text/xml", "XML", T, true, false},
	{"xsd", "text/xml", "XML", T, true, false},
	{"xsl", "text/xml", "XML", T, true, false},
	{"xz", NULL, "an xz archive", Z, true, true},
	{"yaml", "application/yaml", "YAML", T, true, false},
	{"yml", "application/yaml", "YAML", T, true, false},
	{"zip", NULL, "a ZIP archive", Z, true, true},
	{"zst", NULL, "a Zstandard archive", Z, true, true},
	{"zstd", NULL, "a Zstandard archive", Z, false, true},
};

/* The first that fits: a whole type, or a beginning that ends in a slash or a dot. What is missing here is unknown. */
static const struct {
	const char *type;
	unsigned families;
} media_types[] = {
	{"image/svg+xml", T | I},
	{"image/", I},
	{"video/mp4", V | A}, {"video/webm", V | A}, {"video/x-matroska", V | A}, {"video/x-ms-asf", V | A},
	{"video/3gpp", V | A}, {"video/quicktime", V | A}, {"video/mpeg", V | A}, {"video/ogg", V | A},
	{"video/MP2T", V}, {"video/", V},
	{"audio/x-m4a", V | A}, {"audio/mp4", V | A}, {"audio/ogg", V | A}, {"audio/", A},
	{"application/ogg", V | A},
	{"text/rtf", D}, {"application/rtf", D},
	{"text/", T},
	{"message/", T},
	{"application/json", T}, {"application/x-ndjson", T}, {"application/geo+json", T}, {"application/xml", T},
	{"application/xhtml+xml", T}, {"application/yaml", T}, {"application/toml", T}, {"application/sql", T},
	{"application/mbox", T}, {"application/x-subrip", T}, {"application/javascript", T},
	{"application/pdf", D}, {"application/postscript", D | I}, {"application/msword", D},
	{"application/vnd.ms-excel", D}, {"application/vnd.ms-excel.", D | Z}, {"application/vnd.ms-powerpoint", D},
	{"application/vnd.ms-powerpoint.", D | Z}, {"application/vnd.ms-word.", D | Z},
	{"application/vnd.ms-outlook", D | T}, {"application/vnd.ms-office", D}, {"application/x-ole-storage", D},
	{"application/vnd.visio", D}, {"application/vnd.ms-visio.", D | Z}, {"application/vnd.ms-xpsdocument", D | Z},
	{OOXML, D | Z}, {ODF, D | Z}, {"application/epub+zip", D | Z},
	{"application/zip", Z}, {"application/x-7z-compressed", Z}, {"application/x-tar", Z}, {"application/gzip", Z},
	{"application/x-bzip2", Z}, {"application/x-xz", Z}, {"application/zstd", Z}, {"application/x-lz4", Z},
	{"application/x-lzma", Z}, {"application/x-compress", Z}, {"application/vnd.rar", Z}, {"application/x-rar", Z},
	{"application/vnd.ms-cab-compressed", Z}, {"application/x-archive", Z}, {"application/x-cpio", Z},
	{"application/vnd.debian.binary-package", Z}, {"application/x-rpm", Z}, {"application/x-iso9660-image", Z},
	{"application/java-archive", Z}, {"application/vnd.android.package-archive", Z}, {"application/x-xar", Z},
	{"application/x-lzip", Z}, {"application/x-lzop", Z}, {"application/x-arj", Z}, {"application/x-lha", Z},
	{"application/x-executable", X}, {"application/x-pie-executable", X}, {"application/x-sharedlib", X},
	{"application/x-object", X}, {"application/x-coredump", X}, {"application/x-dosexec", X},
	{"application/vnd.microsoft.portable-executable", X}, {"application/x-mach-binary", X},
	{"application/x-java-applet", X}, {"application/x-msi", X}, {"application/wasm", X}, {"application/x-elf", X},
	{"application/x-ms-ne-executable", X}, {"application/x-ms-le-executable", X},
};
// clang-format on

enum { EXTENSION_COUNT = sizeof(extensions) / sizeof(extensions[0]) };

const struct extension_type *extension_type_find(const char *extension)
{
	size_t low = 0, high = EXTENSION_COUNT;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(extension, extensions[middle].extension);

		if (order == 0)
			return &extensions[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct extension_type *extension_type_at(unsigned i)
{
	return i < EXTENSION_COUNT ? &extensions[i] : NULL;
}

unsigned media_type_families(const char *media_type)
{
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		const char *type = media_types[i].type;
		size_t length = strlen(type);
		bool is_beginning = type[length - 1] == '/' || type[length - 1] == '.';

		if (strncmp(media_type, type, length) == 0 && (is_beginning || media_type[length] == '\0'))
			return media_types[i].families;
	}
	return 0;
}

const char *family_words(unsigned families)
{
	static const struct {
		unsigned family;
		const char *words;
	} words[] = {
		{FAMILY_EXECUTABLE, "an executable"},
		{FAMILY_DOCUMENT, "a document"},
		{FAMILY_IMAGE, "an image"},
		{FAMILY_VIDEO, "a video"},
		{FAMILY_AUDIO, "a sound"},
		{FAMILY_ARCHIVE, "an archive"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (families & words[i].family)
			return words[i].words;
	}
	return "text";
}
