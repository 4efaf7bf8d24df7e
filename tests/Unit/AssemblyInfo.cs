using Xunit;

// What a failed test has printed is shown with it; of the others nothing.
[assembly: CaptureConsole]
