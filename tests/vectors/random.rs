//! Random grants from a fixed seed, for comparing what two writers make of them.

use farebox_verifier::{
    Action, Agent, ApprovalDigest, Audience, Caveat, CaveatText, Generation, Grant, GrantId, OneOf,
    OutputName, ParamsDigest, Pointer, PolicyHash, Purpose, Resource, Seat, Seats, Shard,
    StatementName, Step, StoreName, UnixSeconds, Uses, Window, Workflow,
};

use super::fixture::{Key, at, output, text};

/// Words of names and texts: some that every biscuit knows by number, some that need escapes.
const WORDS: [&str; 16] = [
    "read",
    "write",
    "time",
    "query",
    "resource",
    "nonce",
    "grant",
    "v",
    "t",
    "acme",
    "ü",
    "日本",
    "\"q\"",
    "back\\slash",
    "{x}",
    "a-rather-long-word-that-takes-more-than-a-few-bytes",
];
const POINTERS: [&str; 8] =
    ["/amount", "/to", "/a/b/0", "/a~1b", "/m~0n", "/", "/time", "/deep/er/and/deep/er"];
const STATEMENTS: [&str; 4] = ["change_approved", "scanned", "read", "owner"];

/// xorshift64*: the same on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Less than `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % end
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Copy, const N: usize>(&mut self, among: [T; N]) -> T {
        among[self.below(N)]
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.next() >> 56).unwrap())
    }

    fn word(&mut self) -> String {
        (0..=self.below(3)).map(|_| self.pick(WORDS)).collect::<Vec<_>>().join("/")
    }

    fn int(&mut self) -> i64 {
        let value = self.next().cast_signed();
        value >> self.below(64)
    }

    fn text(&mut self) -> CaveatText {
        if self.below(8) == 0 { text("") } else { text(&self.word()) }
    }

    fn set(&mut self) -> OneOf {
        let count = 1 + self.below(5);
        OneOf::new((0..count).map(|_| self.text()).collect::<Vec<_>>()).unwrap()
    }

    fn place(&mut self) -> Pointer {
        at(self.pick(POINTERS))
    }

    fn output(&mut self) -> OutputName {
        output(self.pick(["rows", "/records", "query"]))
    }

    fn time(&mut self) -> UnixSeconds {
        UnixSeconds(self.next() >> 33)
    }

    /// A caveat that a holder may append.
    pub(super) fn holders_caveat(&mut self) -> Caveat {
        match self.below(9) {
            0 => Caveat::Before(self.time()),
            1 => Caveat::IntAtMost(self.place(), self.int()),
            2 => Caveat::IntAtLeast(self.place(), self.int()),
            3 => Caveat::TextIs(self.place(), self.text()),
            4 => Caveat::TextOneOf(self.place(), self.set()),
            5 => Caveat::TextPrefix(self.place(), self.text()),
            6 => Caveat::Proved(self.key().public()),
            7 => Caveat::OutputMax(self.output(), self.int()),
            _ => Caveat::OutputOneOf(self.output(), self.set()),
        }
    }

    fn caveat(&mut self) -> Caveat {
        if self.below(5) > 0 {
            return self.holders_caveat();
        }
        let name = StatementName::parse(self.pick(STATEMENTS)).unwrap();
        Caveat::Signed(name, self.text(), self.key().public())
    }

    fn key(&mut self) -> Key {
        Key(u8::try_from(0x20 + self.below(3)).unwrap())
    }

    fn seats(&mut self) -> Seats {
        let count = 1 + self.below(3);
        let seat = |number: usize, random: &mut Random| Seat {
            store: StoreName::parse(&format!("r{number}")).unwrap(),
            shard: Shard::parse(random.pick(["00", "7f", "ff"])).unwrap(),
            generation: Generation::from_bytes(random.bytes()),
            sequence: random.next() >> (1 + random.below(60)),
        };
        let seats = (0..count).map(|number| seat(number, self)).collect();
        Seats::new(u8::try_from(count / 2 + 1).unwrap(), seats).unwrap()
    }

    /// A grant of anything that a grant can have.
    pub(super) fn grant(&mut self) -> Grant {
        let mut caveats: Vec<Caveat> = (0..self.below(7)).map(|_| self.caveat()).collect();
        let mut varies: Vec<Pointer> = Vec::new();
        for place in ["/amount", "/to"].map(at) {
            if self.below(3) == 0 {
                caveats.push(Caveat::IntAtMost(place.clone(), self.int()));
                varies.push(place);
            }
        }
        let approved = self.chance().then(|| ApprovalDigest::from_bytes(self.bytes()));
        let workflow = self.chance().then(|| (self.word(), self.word()));
        Grant {
            id: GrantId::from_bytes(self.bytes()),
            action: Action::parse(&self.word()).unwrap(),
            resource: Resource::parse(&self.word()).unwrap(),
            params: ParamsDigest::from_bytes(self.bytes()),
            audience: Audience::parse(&self.word()).unwrap(),
            window: Window::minted(self.time(), 1 + self.next() % 3600).unwrap(),
            agent: Agent::parse(&self.word()).unwrap(),
            policy: PolicyHash::from_bytes(self.bytes()),
            varies,
            approval: approved,
            stores: self.chance().then(|| self.seats()),
            workflow: workflow
                .map(|(run, step)| (Workflow::parse(&run).unwrap(), Step::parse(&step).unwrap())),
            purpose: self.chance().then(|| Purpose::parse(&self.word()).unwrap()),
            holder: self.chance().then(|| self.key().public()),
            uses: if self.below(4) == 0 { Uses::Fresh } else { Uses::Once },
            caveats,
        }
    }
}
