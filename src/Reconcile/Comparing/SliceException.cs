namespace Cdc.Reconcile.Comparing;

/// <summary>A slice cannot be compared as it is, and another fence will not change that.</summary>
internal sealed class SliceException(string message) : Exception(message);
