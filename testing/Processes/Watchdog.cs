namespace Cdc.Testing.Processes;

/// <summary>
/// A shell between us and a child, so that the child never outlives us: it reads our end of a pipe, which the kernel closes however we
/// die. PR_SET_PDEATHSIG would fire when the thread that forked ends, and pool threads end.
/// </summary>
internal static class Watchdog
{
    /// <summary>Arguments: signal for an orphan, folder to remove for an orphan (or nothing), then the command.</summary>
    public const string Script = """
        signal=$1 scratch=$2 orphan=
        shift 2
        exec 3<&0
        # A shell without job control starts background commands with INT and QUIT ignored; under nohup HUP is ignored too.
        env --default-signal=HUP,INT,QUIT /bin/sh -c 'echo "pid $$"; exec "$@"' sh "$@" </dev/null 3<&- &
        child=$!
        trap 'orphan=1; kill -s "$signal" $child 2>/dev/null' USR1
        ( while read -r _; do :; done; kill -s USR1 $$ ) <&3 3<&- >/dev/null 2>&1 &
        watcher=$!
        # A trapped signal ends wait early; a child that ended but was not waited for still answers to signal 0.
        while :; do
            wait $child; code=$?
            kill -0 $child 2>/dev/null || break
        done
        kill $watcher 2>/dev/null
        if [ -n "$orphan" ] && [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
        exit $code
        """;
}
