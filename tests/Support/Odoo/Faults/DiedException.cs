namespace Cdc.Tests.Support.Odoo.Faults;

/// <summary>The end of a process that was in the middle of a call.</summary>
internal sealed class DiedException : Exception;
