using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using SyncEngine.Hub.Push;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class DatasetPatternTests
{
    [Property(MaxTest = 2000)]
    public Property A_pattern_matches_what_the_same_regular_expression_matches()
    {
        Gen<string> texts = Gen.Elements('a', 'b', '.', '*').ArrayOf().Select(letters => new string(letters));
        return Prop.ForAll(texts.ToArbitrary(), texts.ToArbitrary(), (pattern, text) =>
        {
            string name = text.Replace("*", string.Empty, StringComparison.Ordinal);
            string expression = "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "$";
            bool expected = Regex.IsMatch(name, expression, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            Assert.Equal(expected, DatasetPattern.Matches(pattern, name));
        });
    }

    [Theory]
    [InlineData("*", true)]
    [InlineData("save:*.1", true)]
    [InlineData("", false)]
    [InlineData("a/b", false)]
    [InlineData("é", false)]
    public void Patterns_have_the_letters_of_names(string pattern, bool isValid) =>
        Assert.Equal(isValid, DatasetPattern.IsValid(pattern));
}
