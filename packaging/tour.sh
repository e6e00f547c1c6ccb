# shellcheck shell=bash
# The tour of `make run`: copies the sample files into the tenant demo and shows what became of them. Sourced by
# packaging/stack, which has set the names of the stack.

tour() {
	local tenant=$TENANTFS_MOUNT/demo month
	month=$(date -u +%Y-%m)
	tour_copy "$tenant"
	tour_wait "$tenant/$month"
	tour_tree "$tenant"
	tour_attributes "$tenant/$month"
	tour_grep "$tenant" "$month"
	tour_refusal "$tenant"
	tour_next "$tenant" "$month"
}

# heading WORDS: bold on a terminal.
heading() {
	if [[ -t 1 ]]; then
		printf '\n\033[1m%s\033[0m\n' "$*"
	else
		printf '\n== %s ==\n' "$*"
	fi
}

# show COMMAND...: the command as one would type it, then what it says.
show() {
	printf '$ %s\n' "$*"
	(cd "$TENANTFS_MOUNT" && timeout 30 bash -c "$*") 2>&1 | awk '{ print "  " $0 }'
}

tour_copy() {
	local file copied=0
	heading 'Copying the sample files in, as anyone would'
	for file in tests/data/*; do
		[[ -f $file ]] || continue
		if cp -- "$file" "$1/"; then
			printf '  cp %s demo/\n' "$file"
			copied=$((copied + 1))
		fi
	done
	((copied > 0)) || die 'tests/data holds no sample file'
}

tour_wait() {
	local file waited=0 started=${EPOCHREALTIME/[.,]/}
	for file in tests/data/*; do
		[[ -f $1/${file##*/} ]] || continue
		wait_until 60 tour_is_extracted "$1/${file##*/}" || say "  ${file##*/}: no result after a minute, see $LOG/extractd.log"
		waited=$((waited + 1))
	done
	say "  $waited files extracted after $(((${EPOCHREALTIME/[.,]/} - started) / 1000)) ms"
}

tour_is_extracted() {
	case $(timeout 10 getfattr --absolute-names --only-values -n user.extract.status -- "$1" 2>/dev/null) in
	completed | failed) ;;
	*) return 1 ;;
	esac
}

tour_tree() {
	heading 'The tenant, as a folder'
	show 'ls -l demo demo/current/'
}

tour_attributes() {
	local file
	file=$(tour_sample "$1" docx pdf csv txt)
	heading 'What PostgreSQL knows of a file, as its extended attributes'
	show "getfattr -d demo/current/$file"
	heading 'What was extracted'
	show "getfattr --only-values -n user.extract.text demo/current/$file | head -n 12"
	show "cat demo/.extract/$(date -u +%Y-%m)/$file/metadata.json"
	file=$(tour_sample "$1" csv)
	[[ -z $file ]] || show "cat demo/.extract/$(date -u +%Y-%m)/$file/summary.md | head -n 20"
}

# tour_sample FOLDER EXTENSION...: the first sample file of the first extension there is.
tour_sample() {
	local folder=$1 extension file
	shift
	for extension; do
		for file in tests/data/*."$extension"; do
			[[ -f $folder/${file##*/} ]] && printf '%s\n' "${file##*/}" && return
		done
	done
}

tour_grep() {
	local word
	heading 'Text inside documents, found with grep'
	word=$(tour_word "$1/.extract/$2")
	show "grep -rilw '${word:-the}' demo/.extract/$2"
}

# A word that a PDF or a DOCX really holds, so that grep finds it where it could not look before.
tour_word() {
	local file
	file=$(tour_sample "$TENANTFS_MOUNT/demo/current" docx pdf)
	[[ -n $file ]] && tr -cs '[:alpha:]' '\n' <"$1/$file/text.txt" 2>/dev/null | awk 'length >= 8 { print; exit }'
}

tour_refusal() {
	heading 'A program that calls itself a PDF is refused'
	show "cp /bin/true demo/invoice.pdf"
	say "  and why:"
	show 'adminctl tenant rejections demo --limit 3'
}

tour_next() {
	heading 'What to try next'
	cat <<-END
		  . $VAR/env
		  cd "\$TENANTFS_MOUNT/demo"                the tenant; the programs are in PATH now
		  cp YOUR-FILES .                          they appear in current/
		  inotifywait -e attrib current/FILE       waits for an extraction
		  grep -r WORD .extract/$2            searches inside documents
		  adminctl tenant set demo --quota 10M     then: df -h .
		  adminctl tenant stats demo               adminctl --help lists the rest
		  adminctl doctor                          what is reachable, what is not
		  make down VAR=$VAR     ends the stack; its files stay
	END
	[[ -z $TENANTFS_URL ]] || say "  $TENANTFS_URL/    the same in a browser"
}
