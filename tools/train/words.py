"""Vocabularies: who lives in the stories, where, and with what."""

GIRLS = """Lily Mia Anna Lucy Emma Sara Rosa Nina Clara Ella Ivy Ruby Daisy Molly Maya Zoe Amy Ada Nora Eva Tess June Hana Lena
Mila Iris Kate Lola Priya Amara Sofia Leila Yuki Greta Fern Hazel Pearl Olive Poppy Wren Elsie Maud Ines Noor Asha Freya""".split()
BOYS = """Tom Ben Sam Max Leo Jack Tim Finn Noah Adam Oscar Theo Hugo Jonas Luca Milo Felix Omar Arlo Ezra Kofi Ravi Kenji Mateo
Dan Will Peter Henry Otto Emil Jamal Rory Toby Gus Ned Hal Ivan Pablo Amir Bruno Simon Elias Nico Anton Walt Louis""".split()
PETS = """Pip Nutmeg Biscuit Bramble Pepper Button Pebble Acorn Clover Dot Fizz Ginger Hoppy Inky Jolly Kip Loopy Mossy Nibbles
Oats Patch Quill Rusty Scout Tuffy Umber Velvet Waffles Ziggy Bluebell Cocoa Dusty Ember Fluff Goldie Honey Juniper Maple
Midnight Peanut Pudding Shadow Snowy Sunny Thistle Tansy Twig Willow Whisker Bubbles Cinnamon Sprout Marble Cricket Flicker""".split()

# kind: homes, food, sound it makes, part of its body, what it is good at
ANIMALS = {
    "fox": ("a den under the roots of an oak", "berries", "yip", "bushy tail", "running without a sound"),
    "rabbit": ("a burrow on the hill", "carrots", "squeak", "long ears", "hopping very far"),
    "bear": ("a cave by the waterfall", "honey", "growl", "big paws", "carrying heavy things"),
    "mouse": ("a hole in the barn wall", "cheese", "squeak", "tiny feet", "squeezing through small gaps"),
    "cat": ("a red house by the lane", "fish", "meow", "soft whiskers", "climbing up high"),
    "kitten": ("a basket in the kitchen", "milk", "mew", "fluffy tail", "climbing up high"),
    "dog": ("a kennel in the yard", "bones", "woof", "wagging tail", "following a smell"),
    "puppy": ("a warm box by the stove", "biscuits", "yap", "floppy ears", "following a smell"),
    "duck": ("a nest by the pond", "water weeds", "quack", "yellow beak", "swimming fast"),
    "frog": ("a hut of reeds by the pond", "flies", "croak", "long green legs", "jumping very high"),
    "hedgehog": ("a pile of leaves in the garden", "apples", "snuffle", "prickly back", "rolling into a ball"),
    "squirrel": ("a hollow in the tall pine", "nuts", "chatter", "curly tail", "jumping from branch to branch"),
    "pig": ("a pen on the farm", "turnips", "oink", "pink nose", "digging in the mud"),
    "goat": ("a shed on the hillside", "grass", "bleat", "small horns", "climbing on rocks"),
    "lamb": ("a green field", "clover", "baa", "woolly coat", "keeping others warm"),
    "pony": ("a stable by the road", "hay", "neigh", "long mane", "running fast"),
    "turtle": ("a hole in the river bank", "lettuce", "hum", "hard shell", "never giving up"),
    "badger": ("a deep hole in the wood", "mushrooms", "grunt", "striped face", "digging tunnels"),
    "mole": ("a tunnel under the lawn", "worms", "snuffle", "strong paws", "finding the way in the dark"),
    "otter": ("a den by the river", "fish", "whistle", "sleek fur", "diving deep"),
    "beaver": ("a lodge on the lake", "bark", "slap", "flat tail", "building things"),
    "deer": ("a glade in the forest", "leaves", "snort", "long legs", "hearing every little sound"),
    "elephant": ("a valley of red grass", "bananas", "toot", "long trunk", "remembering everything"),
    "monkey": ("a tree in the jungle", "mangoes", "chatter", "curly tail", "swinging through the trees"),
    "lion": ("a den on a rocky hill", "stew", "roar", "golden mane", "roaring loudly"),
    "tiger": ("a bamboo grove", "stew", "roar", "orange stripes", "walking softly"),
    "penguin": ("a house of ice", "fish", "honk", "black wings", "sliding on the ice"),
    "hen": ("a coop behind the barn", "corn", "cluck", "red comb", "waking up early"),
    "goose": ("a hut by the stream", "grain", "honk", "long neck", "calling loudly"),
    "crow": ("a nest in a tall elm", "seeds", "caw", "black feathers", "solving puzzles"),
    "robin": ("a nest in the hedge", "crumbs", "chirp", "red chest", "singing sweetly"),
    "owl": ("a hole in an old tree", "soup", "hoot", "round eyes", "seeing in the dark"),
    "snail": ("a shell under a leaf", "lettuce", "hum", "curly shell", "being patient"),
    "bee": ("a hive in the orchard", "honey", "buzz", "striped coat", "finding flowers"),
    "ant": ("an anthill in the meadow", "sugar", "click", "strong back", "working with others"),
    "panda": ("a forest on a misty mountain", "bamboo", "hum", "round tummy", "giving warm hugs"),
    "koala": ("a gum tree", "leaves", "snore", "fuzzy ears", "holding on tight"),
    "kangaroo": ("a valley of red sand", "grass", "thump", "big feet", "jumping very far"),
    "camel": ("a tent in the desert", "dates", "grunt", "big hump", "going far without water"),
    "zebra": ("the wide grasslands", "grass", "bray", "black stripes", "running fast"),
    "giraffe": ("a valley of tall trees", "leaves", "hum", "long neck", "reaching high places"),
    "hippo": ("a muddy river", "grass", "grunt", "wide mouth", "making big splashes"),
    "raccoon": ("a hollow log", "corn", "chirr", "ringed tail", "opening boxes"),
    "donkey": ("a stall by the mill", "oats", "bray", "long ears", "carrying heavy things"),
    "cow": ("a meadow on the farm", "grass", "moo", "brass bell", "giving milk"),
    "dragon": ("a cave in the mountain", "toast", "roar", "green scales", "breathing warm fire"),
    "unicorn": ("a glade of silver trees", "clover", "neigh", "shining horn", "making a soft light"),
    "dinosaur": ("a valley of ferns", "ferns", "roar", "long tail", "reaching high places"),
    "bat": ("a cave above the river", "figs", "squeak", "soft wings", "flying in the dark"),
    "parrot": ("a palm tree", "seeds", "squawk", "bright feathers", "copying every voice"),
}
FLYERS = {"crow", "robin", "owl", "bee", "bat", "parrot", "duck", "goose"}
SIZES = "little small young tiny".split()
TRAITS = """brave shy curious clever kind gentle cheerful quiet playful lazy grumpy proud careful silly sleepy busy bold
friendly lonely stubborn hungry merry""".split()

PLACES = """the forest|the meadow|the river|the hill|the garden|the beach|the village|the old mill|the orchard|the park|the market|
the lake|the farm|the mountain|the barn|the bridge|the woods|the castle|the library|the school|the harbour|the big field|the cave|
the windmill|the stone wall|the playground""".replace("\n", "").split("|")
SPOTS = """under the bed|behind the door|in the tall grass|under a big leaf|behind the old barn|beside the stream|on top of the hill|
in the hollow tree|under the stone bridge|near the gate|in the flower bed|by the well|at the edge of the woods|beneath the rose bush|
inside an empty basket|next to the pond|between two rocks|on the garden wall|in a pile of leaves|under the kitchen table""".replace("\n", "").split("|")

COLOURS = "red blue green yellow purple orange pink white black brown golden silver".split()
TREASURES = """ball|kite|hat|scarf|drum|bell|boat|ribbon|button|marble|shell|key|book|blanket|doll|whistle|lantern|ring|feather|
mitten|coin|flute|umbrella|bucket|teddy bear|spoon|cup|star|bracelet|paintbrush|backpack|top""".replace("\n", "").split("|")
FOODS = """an apple pie|a loaf of bread|a honey cake|a bowl of soup|a basket of berries|a pot of jam|a plate of pancakes|a bag of nuts|
a round cheese|a box of cookies|a jar of honey|a big pumpkin|a plum tart|a bunch of grapes|a bowl of porridge|a ginger cake|a pear|
a sandwich|a bag of cherries|a warm muffin""".replace("\n", "").split("|")
PLANTS = """sunflower:seed:golden flower|bean:bean:tall green vine|pumpkin:seed:fat orange pumpkin|apple tree:pip:small tree|
rose:cutting:red rose|carrot:seed:row of carrots|strawberry:plant:bed of sweet strawberries|oak:acorn:young oak|
tulip:bulb:bright tulip|melon:seed:round melon|pea:pea:row of sweet peas|corn:kernel:stalk of yellow corn""".replace("\n", "").split("|")
SKILLS = """swim:in the lake|whistle:on the porch|ride a bicycle:on the lane|bake bread:in the kitchen|skate:on the frozen pond|
draw a horse:at the table|fly a kite:on the hill|play the flute:by the window|tie a bow:on the doorstep|jump rope:in the yard|
climb the tall tree:behind the house|sing the morning song:by the gate|paddle a boat:on the river|juggle three apples:in the orchard|
read a whole book:under the lamp|dance:on the grass|throw a ball:in the field|knit a scarf:by the fire|paint a rainbow:at the easel|
stand on one leg:in the garden""".replace("\n", "").split("|")
WEATHER = """The sun was (warm|bright|shining|high) and the sky was (blue|clear).|It was a (cold|windy|grey|foggy|rainy) (day|morning).|
A soft (wind|breeze) moved (in|through) the (trees|leaves|grass).|Snow lay (white and deep|soft) on the ground.|
The (air|morning) smelled of (rain|flowers|fresh bread|cut grass|pine).|White clouds (floated by|drifted over the hills).|
It had rained (all night|in the night), and (the path was muddy|everything was wet and shiny).|The (birds were singing|bees were humming).|
It was (a warm|a lovely|the first) (spring|summer|autumn) (day|morning|afternoon).|
The leaves were (red and gold|falling one by one).""".replace("\n", "")
