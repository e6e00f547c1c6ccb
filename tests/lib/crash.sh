# shellcheck shell=bash
# What the tests in tests/crash share: files to copy, a copy under way, and the check afterwards. Sourced after stack.sh.

# crash_source COUNT: files with contents of their own, from empty to 40 KiB, in $STACK/source.
crash_source() {
	mkdir -p "$STACK/source"
	perl -e '
		my ($folder, $count) = @ARGV;
		for my $i (1 .. $count) {
			my $size = $i % 50 == 0 ? 0 : ($i * 7919) % 9000 + ($i % 40 == 1 ? 32768 : 1);
			my $line = "file $i, and some words that an extractor can read\n";
			open my $file, ">", sprintf("%s/f%05d.txt", $folder, $i) or die $!;
			print $file substr($line x (1 + $size / length $line), 0, $size);
		}' "$STACK/source" "$1"
}

# copy_start [FOLDER]: begins to copy into the tenant acme's month (or a folder below it).
copy_start() {
	DIARY=$STACK/diary COPY_TO=$TENANTFS_MOUNT/acme/$MONTH${1:+/$1}
	: >"$DIARY"
	"$TESTS_LIB/copier" "$STACK/source" "$COPY_TO" "$DIARY" >"$STACK/log/copier" 2>&1 &
	COPIER=$!
}

copied() {
	grep -vc '^done$' "$DIARY"
}

# copy_reaches COUNT: waits until so many files were promised.
copy_reaches() {
	wait_until 60 copy_is_at "$1"
}

copy_is_at() {
	(($(copied) >= $1))
}

copy_is_done() {
	tail -n 1 "$DIARY" | grep -qx 'done'
}

# copy_finish SECONDS: waits for its end; fails when it does not come, or not every file was copied.
copy_finish() {
	wait_until "$1" process_is_gone "$COPIER"
	touch "$DIARY.stop"
	wait "$COPIER"
	rm -f "$DIARY.stop"
	copy_is_done
}

# Every file of the diary is there with its bytes; and whatever else is there is whole, none is cut.
promises_kept() {
	perl -e '
		my ($source, $copy, $diary) = @ARGV;
		my $bad = 0;
		sub content { open my $file, "<:raw", $_[0] or return undef; local $/; my $c = <$file>; return $c // "" }
		open my $log, "<", $diary or die $!;
		my %promised = map { chomp; $_ => 1 } <$log>;
		delete $promised{done};
		for my $name (sort keys %promised) {
			my $there = content("$copy/$name");
			next if defined $there && $there eq content("$source/$name");
			print "# $name: ", defined $there ? "other bytes, " . length($there) : "not there: $!", "\n" if $bad++ < 10;
		}
		opendir my $folder, $copy or die "# $copy: $!\n";
		for my $name (grep { -f "$copy/$_" && !$promised{$_} } readdir $folder) {
			my $there = content("$copy/$name");
			# The one whose close was never answered may be there whole, or empty as its open made it.
			next if defined $there && ($there eq "" || $there eq content("$source/$name"));
			print "# $name was not promised and is there in part\n" if $bad++ < 10;
		}
		print "# ", scalar(keys %promised), " files promised\n";
		exit($bad ? 1 : 0)' "$STACK/source" "$COPY_TO" "$DIARY"
}

# Database, journal and disk agree, every byte of every object included.
agrees() {
	wait_committed acme
	adminctl fsck --hash
}

# The daemons end cleanly, nothing is left pending, and they still agree.
agrees_at_rest() {
	stack_stop_extractd
	stack_unmount || return 1
	adminctl fsck --hash && [[ $(adminctl fsck --json) == '[]' ]]
}

all_extracted() {
	[[ $(stack_sql "SELECT count(*) FROM extraction_job WHERE state NOT IN ('d')") == 0 ]]
}
