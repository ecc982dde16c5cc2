//! Which language a text is in, where that is plain.
//!
//! By script, and for languages of the Latin script by their commonest words. Says nothing where it is not sure: short
//! texts, code, names and numbers belong to no language. Must never be here: what becomes of a wrong one.

use crate::finding::words;

words! {
    /// A language, by its ISO 639-1 code.
    Language {
        /// Arabic.
        Arabic => "ar",
        /// German.
        German => "de",
        /// Greek.
        Greek => "el",
        /// English.
        English => "en",
        /// Spanish.
        Spanish => "es",
        /// French.
        French => "fr",
        /// Hebrew.
        Hebrew => "he",
        /// Hindi.
        Hindi => "hi",
        /// Italian.
        Italian => "it",
        /// Japanese.
        Japanese => "ja",
        /// Korean.
        Korean => "ko",
        /// Dutch.
        Dutch => "nl",
        /// Polish.
        Polish => "pl",
        /// Portuguese.
        Portuguese => "pt",
        /// Russian.
        Russian => "ru",
        /// Swedish.
        Swedish => "sv",
        /// Thai.
        Thai => "th",
        /// Turkish.
        Turkish => "tr",
        /// Ukrainian.
        Ukrainian => "uk",
        /// Chinese.
        Chinese => "zh",
    }
}

/// How much of a text is read, in characters.
const READ: usize = 4096;
/// The fewest letters of a script that is no alphabet of many languages.
const MIN_LETTERS: usize = 12;
/// The fewest common words that tell a language, and how many times as many as of the next one.
const MIN_WORDS: usize = 5;
const AHEAD: usize = 2;

/// Words that are frequent in one of these languages and rare in the others.
const COMMON: &[(Language, &[&str])] = &[
    (
        Language::German,
        &[
            "der", "die", "das", "und", "ist", "nicht", "ein", "eine", "mit", "für", "auf", "sich", "auch", "werden",
            "sind", "von", "zu", "wird", "dem", "den", "oder", "wie", "aber", "ich", "sie",
        ],
    ),
    (
        Language::English,
        &[
            "the", "and", "of", "to", "is", "that", "it", "for", "with", "as", "are", "this", "be", "by", "from",
            "have", "you", "which", "can", "not", "was", "they", "has", "will", "your",
        ],
    ),
    (
        Language::Spanish,
        &[
            "el", "los", "las", "que", "y", "en", "una", "por", "con", "para", "es", "del", "se", "pero", "más",
            "como", "está", "su", "al", "lo", "también", "muy", "hay", "son",
        ],
    ),
    (
        Language::French,
        &[
            "le", "les", "des", "et", "est", "une", "que", "pour", "dans", "qui", "pas", "sur", "avec", "du", "au",
            "ce", "vous", "nous", "sont", "plus", "mais", "cette", "être", "il",
        ],
    ),
    (
        Language::Italian,
        &[
            "il", "di", "che", "è", "gli", "per", "una", "della", "non", "sono", "con", "del", "nel", "anche", "più",
            "come", "questo", "alla", "dei", "delle", "ma", "si", "ha", "lo",
        ],
    ),
    (
        Language::Dutch,
        &[
            "de", "het", "een", "en", "van", "is", "dat", "niet", "zijn", "voor", "met", "op", "ook", "aan", "wordt",
            "naar", "door", "maar", "je", "bij", "dit", "deze", "kan", "worden",
        ],
    ),
    (
        Language::Polish,
        &[
            "i", "w", "nie", "się", "jest", "na", "że", "do", "z", "to", "są", "jak", "oraz", "dla", "przez", "może",
            "ale", "od", "po", "który", "która", "które", "być", "tego",
        ],
    ),
    (
        Language::Portuguese,
        &[
            "o", "os", "que", "e", "do", "da", "em", "um", "uma", "para", "com", "não", "por", "mais", "dos", "das",
            "como", "mas", "ao", "são", "você", "também", "isso", "está",
        ],
    ),
    (
        Language::Swedish,
        &[
            "och", "att", "det", "som", "är", "en", "på", "för", "av", "med", "inte", "den", "till", "ett", "om",
            "kan", "har", "från", "eller", "men", "också", "du", "när", "vara",
        ],
    ),
    (
        Language::Turkish,
        &[
            "ve", "bir", "bu", "için", "ile", "çok", "olarak", "daha", "gibi", "olan", "var", "değil", "ama", "sonra",
            "kadar", "her", "en", "da", "de", "ne", "ya", "ise", "veya", "olur",
        ],
    ),
];

/// The language of `text`; `None` where it is not plain.
#[must_use]
pub fn language(text: &str) -> Option<Language> {
    let mut scripts = Scripts::default();
    text.chars().take(READ).for_each(|c| scripts.count(c));
    let letters = scripts.all();
    // A script tells only where most of the letters are of it: a quotation is no language.
    let most = |count: usize| count >= MIN_LETTERS && count * 5 > letters * 3;
    if scripts.kana >= MIN_LETTERS / 2 && most(scripts.kana + scripts.han) {
        return Some(Language::Japanese);
    }
    if most(scripts.han) {
        return Some(Language::Chinese);
    }
    if most(scripts.cyrillic) {
        return scripts.of_cyrillic();
    }
    let others = [
        (scripts.hangul, Language::Korean),
        (scripts.arabic, Language::Arabic),
        (scripts.greek, Language::Greek),
        (scripts.hebrew, Language::Hebrew),
        (scripts.devanagari, Language::Hindi),
        (scripts.thai, Language::Thai),
    ];
    let other = others.into_iter().find(|(count, _)| most(*count)).map(|(_, language)| language);
    other.or_else(|| most(scripts.latin).then(|| of_latin(text)).flatten())
}

/// Letters of each script.
#[derive(Default)]
struct Scripts {
    latin: usize,
    cyrillic: usize,
    /// Letters that only Ukrainian has, of the two told apart.
    ukrainian: usize,
    /// Letters that only Russian has.
    russian: usize,
    greek: usize,
    hebrew: usize,
    arabic: usize,
    devanagari: usize,
    thai: usize,
    kana: usize,
    han: usize,
    hangul: usize,
    other: usize,
}

impl Scripts {
    fn count(&mut self, c: char) {
        let slot = match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => &mut self.latin,
            '\u{370}'..='\u{3ff}' => &mut self.greek,
            '\u{400}'..='\u{52f}' => {
                self.ukrainian += usize::from("іїєґІЇЄҐ".contains(c));
                self.russian += usize::from("ыэёъЫЭЁЪ".contains(c));
                &mut self.cyrillic
            }
            '\u{590}'..='\u{5ff}' => &mut self.hebrew,
            '\u{600}'..='\u{6ff}' => &mut self.arabic,
            '\u{900}'..='\u{97f}' => &mut self.devanagari,
            '\u{e00}'..='\u{e7f}' => &mut self.thai,
            '\u{3040}'..='\u{30ff}' => &mut self.kana,
            '\u{3400}'..='\u{9fff}' => &mut self.han,
            '\u{ac00}'..='\u{d7af}' => &mut self.hangul,
            other if other.is_alphabetic() => &mut self.other,
            _ => return,
        };
        *slot += 1;
    }

    fn all(&self) -> usize {
        let european = self.latin + self.cyrillic + self.greek;
        european
            + self.hebrew
            + self.arabic
            + self.devanagari
            + self.thai
            + self.kana
            + self.han
            + self.hangul
            + self.other
    }

    /// Bulgarian, Serbian and others are none of the two, and have the letters of neither.
    fn of_cyrillic(&self) -> Option<Language> {
        match (self.russian, self.ukrainian) {
            (1.., 0) => Some(Language::Russian),
            (0, 1..) => Some(Language::Ukrainian),
            _ => None,
        }
    }
}

fn of_latin(text: &str) -> Option<Language> {
    let mut counts = [0usize; COMMON.len()];
    let end = text.char_indices().nth(READ).map_or(text.len(), |(at, _)| at);
    let words = text.get(..end).unwrap_or(text).split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    for word in words {
        let word = word.to_lowercase();
        for (count, (_, common)) in counts.iter_mut().zip(COMMON) {
            *count += usize::from(common.contains(&word.as_str()));
        }
    }
    let (at, most) = counts.iter().copied().enumerate().max_by_key(|(_, count)| *count)?;
    let next = counts.iter().copied().enumerate().filter(|(other, _)| *other != at).map(|(_, count)| count).max()?;
    let plain = most >= MIN_WORDS && most >= next * AHEAD;
    plain.then(|| COMMON.get(at).map(|(language, _)| *language)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_known() {
        for (text, expected) in [
            (
                "The answer to the question is that it depends on the weather, and on what you have with you.",
                Some("en"),
            ),
            ("Die Antwort auf die Frage ist, dass es von dem Wetter abhängt und nicht von der Uhrzeit.", Some("de")),
            (
                "La réponse est que les résultats sont dans le tableau et que vous pouvez les lire avec une loupe.",
                Some("fr"),
            ),
            (
                "La respuesta es que los resultados están en la tabla y se leen con una lupa, pero también por partes.",
                Some("es"),
            ),
            (
                "Il problema è che gli utenti non sono con noi, ma anche la soluzione della squadra è più semplice.",
                Some("it"),
            ),
            (
                "Het antwoord is dat de resultaten niet op een pagina staan, maar ook met een knop voor de tabel.",
                Some("nl"),
            ),
            ("A resposta é que os resultados não são para você, mas também como uma lista em um quadro.", Some("pt")),
            ("Det är en fråga som inte har ett svar, och att den kan vara för svår för mig.", Some("sv")),
            (
                "To jest pytanie, na które nie ma odpowiedzi, ale może być dla nas i dla tego, który się uczy.",
                Some("pl"),
            ),
            ("Bu bir soru ve çok zor, ama daha sonra bir cevap olarak bu kadar gibi değil.", Some("tr")),
            ("Это простой вопрос, на который мы можем ответить.", Some("ru")),
            ("Це просте питання, на яке ми можемо відповісти їм.", Some("uk")),
            ("これは簡単な質問です。答えはここにあります。", Some("ja")),
            ("这是一个很简单的问题,我们可以回答这个问题。", Some("zh")),
            ("이것은 아주 간단한 질문입니다 우리는 대답할 수 있습니다", Some("ko")),
            ("هذا سؤال بسيط جدا ويمكننا الإجابة عليه", Some("ar")),
            ("Αυτή είναι μια απλή ερώτηση για εμάς", Some("el")),
            ("זו שאלה פשוטה מאוד ואפשר לענות עליה", Some("he")),
            ("यह एक बहुत ही सरल प्रश्न है और हम उत्तर दे सकते हैं", Some("hi")),
            ("นี่เป็นคำถามที่ง่ายมากและเราตอบได้", Some("th")),
            ("", None),
            ("OK.", None),
            ("42 + 17 = 59", None),
            ("fn main() { println!(\"{}\", x); }", None),
            ("Zürich, Genève, Lugano", None),
            ("Ja, nein.", None),
            ("The word \"привет\" means hello", None),
        ] {
            assert_eq!(language(text).map(Language::as_str), expected, "{text}");
        }
    }
}
