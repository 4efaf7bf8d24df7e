using Cdc.Tests.Support.Odoo.Http;

namespace Cdc.Tests.Support.Odoo.Faults;

/// <summary>A copy of a call that is still on its way.</summary>
public sealed class LateCall
{
    private readonly TaskCompletionSource<Func<Task<OdooAnswer>>> _kept = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The call was made, and its copy can be delivered.</summary>
    public Task Made => _kept.Task;

    /// <summary>Odoo serves it now. Nobody else reads the answer.</summary>
    public async Task<OdooAnswer> DeliverAsync() => await (await _kept.Task)();

    internal void Keep(Func<Task<OdooAnswer>> serve) => _kept.TrySetResult(serve);
}
