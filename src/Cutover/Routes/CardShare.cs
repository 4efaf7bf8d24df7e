using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cdc.Cutover.Routes;

/// <summary>
/// Where a card stands between 0 and 100, the same for ever: as feature flags have it (Microsoft.FeatureManagement's targeting), and the
/// engine's function <c>cdc.card_share</c>.
/// </summary>
public static class CardShare
{
    /// <param name="card">Odoo's id.</param>
    /// <param name="company">Where the share is of a company's cards.</param>
    public static bool IsIn(long card, string flag, long? company, decimal percentage) =>
        percentage >= 100 || (percentage > 0 && Of(card, flag, company) < (double)percentage);

    private static double Of(long card, string flag, long? company)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{card}\n{flag}");
        if (company is { } id)
            text += string.Create(CultureInfo.InvariantCulture, $"\ncompany:{id}");
        return BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) / (double)uint.MaxValue * 100;
    }
}
